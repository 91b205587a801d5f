import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import type { StandInFile } from '../../test/stand-in-data.fixture';
import { hashOf } from '../../test/stand-in-data.fixture';
import {
  useTestContext,
  type VcsInstance,
  vcsProjectHeaders,
} from '../../test/test-context.fixture';
import { MAX_CONTENT_BYTES } from './content-routes';
import { MAX_FILE_BYTES, MAX_FILES } from './list-files';

const REPO = '/vcs/bbc/repos/acme/widgets';

const context = useTestContext();
let vcs: VcsInstance;
let commit: string;

beforeEach(() => {
  vcs = context.instance({ apiVersion: [0, 57] });
  commit = String(context.widgets.commits[0]?.hash);
});

function commitFiles(...files: StandInFile[]): void {
  context.widgets.files.set(commit, files);
}

const yaml = (path: string): StandInFile => ({ path, content: `name: ${path}\n` });

const get = (path: string) => vcs.call('get', path).set(vcsProjectHeaders(context));
const contents = (dir: string, query = '&offset=0&limit=1', at = commit) =>
  get(`${REPO}/contents/${encodeURIComponent(dir)}?commit=${at}${query}`);
const content = (file: string, at = commit) =>
  get(`${REPO}/content/${encodeURIComponent(file)}?commit=${at}`);
const archive = (body: Record<string, unknown> = {}) =>
  vcs
    .call('post', `${REPO}/archive`)
    .set(vcsProjectHeaders(context))
    .buffer(true)
    .parse((res, done) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => done(null, Buffer.concat(chunks)));
    })
    .send({ path: '.cds', format: 'tar.gz', commit, ...body });
const unpack = async (body: Buffer) =>
  (await unpackTar(gunzipSync(body))).map(({ header, data }) => ({
    name: header.name,
    mode: header.mode,
    content: Buffer.from(data ?? []).toString(),
  }));
const paths = () => context.bitbucket.requests.map(({ path }) => path);

describe('the contents of a directory', () => {
  it('are what is in it, with Go names', async () => {
    commitFiles(yaml('.cds/workflows/one.yml'), yaml('.cds/cds.yml'), yaml('README.md'));
    const answer = await contents('.cds', '&offset=0&limit=100');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual([
      { Name: 'cds.yml', IsDirectory: false, IsFile: true, Content: '' },
      { Name: 'workflows', IsDirectory: true, IsFile: false, Content: '' },
    ]);
  });

  it('end at the limit and begin at the offset', async () => {
    commitFiles(...['a', 'b', 'c'].map((name) => yaml(`.cds/${name}.yml`)));
    const names = async (query: string) =>
      (await contents('.cds', query)).body.map(({ Name }: { Name: string }) => Name);
    expect(await names('&offset=0&limit=1')).toEqual(['a.yml']);
    expect(await names('&offset=1&limit=1')).toEqual(['b.yml']);
    expect(await names('&offset=2&limit=0')).toEqual(['c.yml']);
    expect(await names('')).toEqual(['a.yml', 'b.yml', 'c.yml']);
  });

  it('are listed over all pages', async () => {
    commitFiles(...Array.from({ length: 130 }, (_, index) => yaml(`a/b c#/${index}.yml`)));
    expect((await contents('a/b c#', '')).body).toHaveLength(130);
  });

  it('are never cut off: more than are listed are refused when the list would go on', async () => {
    const files = Array.from({ length: 1_001 }, (_, index) => yaml(`.cds/${index}.yml`));
    commitFiles(...files.slice(1));
    expect((await contents('.cds', '')).body).toHaveLength(1_000);
    expect((await contents('.cds', '&offset=1000&limit=100')).body).toEqual([]);

    const other = hashOf('of many');
    context.widgets.commits.push(
      ...context.widgets.commits.map((one) => ({ ...one, hash: other })),
    );
    context.widgets.files.set(other, files);
    expect((await contents('.cds', '&offset=0&limit=1000', other)).body).toHaveLength(1_000);
    const rest = await contents('.cds', '&offset=1000&limit=100', other);
    expect([rest.status, rest.text]).toEqual([400, expect.stringContaining('more than 1000')]);
  });

  it('that a commit does not have are 404, whose message CDS knows', async () => {
    commitFiles(yaml('README.md'));
    const answer = await contents('.cds');
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ id: 38 });
    expect(answer.body.message).toMatch(/^resource not found/);
  });

  it('of a file are 404', async () => {
    commitFiles(yaml('.cds'));
    expect((await contents('.cds')).status).toBe(404);
  });

  it.each([
    ['of an unknown commit', () => contents('.cds', '', hashOf('nowhere'))],
    [
      'of an unknown repository',
      () => get(`/vcs/bbc/repos/acme/nope/contents/.cds?commit=${commit}`),
    ],
  ])('%s are no 404: CDS would remove all that it has of it', async (_, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(403);
    expect(JSON.stringify(answer.body)).not.toContain('resource not found');
  });

  it('that Bitbucket lists as empty are no answer, since git has no empty directories', async () => {
    commitFiles(yaml('.cds/cds.yml'));
    context.bitbucket.disturb({ path: /\/src\//, status: 200, body: { values: [] } });
    expect((await contents('.cds')).status).toBe(502);
  });

  it.each(['&offset=x', '&limit=-1', '&limit=9999999999'])(
    'are checked: %s is 400',
    async (query) => {
      expect((await contents('.cds', query)).status).toBe(400);
    },
  );

  it.each(['../secret', 'a/../../b'])('stay in the repository: %s is 400', async (dir) => {
    expect((await contents(dir)).status).toBe(400);
    expect((await content(dir)).status).toBe(400);
    expect(context.bitbucket.requests).toEqual([]);
  });

  it('need a commit', async () => {
    expect((await contents('.cds', '', '')).status).toBe(400);
  });

  it('of a commit are asked for once', async () => {
    commitFiles(yaml('.cds/cds.yml'));
    await contents('.cds');
    await contents('.cds');
    expect(paths()).toHaveLength(1);
  });
});

describe('the content of a file', () => {
  it.each(['package.json', 'charts/app/Chart.yaml', 'a b/ü#?%.txt'])(
    'is its text: %s',
    async (path) => {
      commitFiles({ path, content: '{"version":"1.2.3"}\n' });
      const answer = await content(path);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        Name: path.slice(path.lastIndexOf('/') + 1),
        IsDirectory: false,
        IsFile: true,
        Content: '{"version":"1.2.3"}\n',
      });
    },
  );

  it('keeps a byte order mark', async () => {
    commitFiles({ path: 'v', content: '\ufeff1.2.3' });
    expect((await content('v')).body.Content).toBe('\ufeff1.2.3');
  });

  it('of a directory says that it is one', async () => {
    commitFiles(yaml('charts/Chart.yaml'));
    expect((await content('charts')).body).toEqual({
      ...{ Name: 'charts', IsDirectory: true, IsFile: false, Content: '' },
    });
  });

  it('that a commit does not have is 404, of an unknown commit 403', async () => {
    commitFiles(yaml('README.md'));
    const answer = await content('nope');
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ id: 38 });
    expect((await content('README.md', hashOf('nowhere'))).status).toBe(403);
  });

  it.each([
    ['is no text', { path: 'f', content: Buffer.from([0xff, 0xfe, 0x00]) }],
    ['is a link', { path: 'f', content: 'other', attributes: ['link'] }],
    ['is in Git LFS', { path: 'f', content: 'x', attributes: ['lfs'] }],
    ['is a submodule', { path: 'f', content: 'x', attributes: ['subrepository'] }],
    ['is too large', { path: 'f', content: 'x'.repeat(MAX_CONTENT_BYTES + 1) }],
  ])('that %s is 400', async (_, file) => {
    commitFiles(file);
    expect((await content('f')).status).toBe(400);
  });
});

describe('an archive', () => {
  it('is not read any further for a caller that left', async () => {
    commitFiles(...Array.from({ length: MAX_FILES }, (_, index) => yaml(`.cds/${index}.yml`)));
    context.bitbucket.latencyMs = 5;
    const call = archive();
    const left = new Promise<void>((resolve) => {
      call.parse((res: unknown) => {
        call.abort();
        (res as IncomingMessage).once('close', resolve);
      });
    });
    call.end(() => undefined);
    await left;
    expect((await contents('.cds')).status).toBe(200);
    expect(paths().length).toBeLessThan(MAX_FILES / 2);
    expect(context.logged.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  it('holds the files of the directory and below, by their paths from the root', async () => {
    commitFiles(
      yaml('.cds/workflows/one.yml'),
      yaml('.cds/worker-models/deep/er/two.yaml'),
      { path: '.cds/run.sh', content: '#!/bin/sh\n', attributes: ['executable'] },
      yaml('other/three.yml'),
    );
    const answer = await archive();
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="archive.tar.gz"',
    });
    expect(await unpack(answer.body)).toEqual([
      { name: '.cds/run.sh', mode: 0o755, content: '#!/bin/sh\n' },
      {
        name: '.cds/worker-models/deep/er/two.yaml',
        mode: 0o644,
        content: 'name: .cds/worker-models/deep/er/two.yaml\n',
      },
      { name: '.cds/workflows/one.yml', mode: 0o644, content: 'name: .cds/workflows/one.yml\n' },
    ]);
  });

  it('of a directory with many levels and long names has all of it', async () => {
    const deep = Array.from({ length: 15 }, (_, level) => `level-${level}`).join('/');
    commitFiles(
      yaml(`.cds/${deep}/deep.yml`),
      yaml(`.cds/${'n'.repeat(200)}/ü.yml`),
      yaml('.cds/a.yml'),
    );
    const names = (await unpack((await archive()).body)).map(({ name }) => name);
    expect(names).toEqual(['.cds/a.yml', `.cds/${deep}/deep.yml`, `.cds/${'n'.repeat(200)}/ü.yml`]);
  });

  it('leaves out paths that lead out of the repository, whoever makes them up', async () => {
    commitFiles(yaml('.cds/../../etc/passwd'), yaml('.cds/..'), yaml('.cds/..a/b...yml'));
    const names = (await unpack((await archive()).body)).map(({ name }) => name);
    expect(names).toEqual(['.cds/..a/b...yml']);
  });

  it('leaves out links, submodules and files of Git LFS', async () => {
    commitFiles(
      yaml('.cds/a.yml'),
      { path: '.cds/link.yml', content: '/etc/passwd', attributes: ['link'] },
      { path: '.cds/sub', content: hashOf('sub'), attributes: ['subrepository'] },
      { path: '.cds/big.bin', content: 'x', attributes: ['lfs'] },
    );
    expect(await unpack((await archive()).body)).toMatchObject([{ name: '.cds/a.yml' }]);
    expect(paths().filter((path) => path.includes('link'))).toEqual([]);
  });

  it('of a directory without regular files is empty', async () => {
    commitFiles({ path: '.cds/link.yml', content: 'other', attributes: ['link'] });
    const answer = await archive();
    expect(answer.status).toBe(200);
    expect(await unpack(answer.body)).toEqual([]);
  });

  it('of many files costs a call a file, and none when it is asked for again', async () => {
    commitFiles(...Array.from({ length: 120 }, (_, index) => yaml(`.cds/${index}.yml`)));
    const first = await archive();
    expect(await unpack(first.body)).toHaveLength(120);
    expect(paths()).toHaveLength(122);
    const again = await archive();
    expect(again.body).toEqual(first.body);
    expect(paths()).toHaveLength(122);
  });

  it('of a branch is of one commit', async () => {
    commitFiles(yaml('.cds/a.yml'));
    context.widgets.branches.set('feat/one', commit);
    for (const ref of ['main', 'refs/heads/main', 'feat/one'])
      expect(await unpack((await archive({ commit: ref })).body)).toHaveLength(1);
    expect(paths().filter((path) => /src\/(main|feat)/.test(path))).toEqual([]);
  });

  it('of a path that the commit does not have is 404', async () => {
    commitFiles(yaml('README.md'));
    const answer = await archive();
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ id: 38 });
    expect((await archive({ commit: hashOf('nowhere') })).status).toBe(403);
  });

  it.each<[string, StandInFile[]]>([
    ['too many files', Array.from({ length: MAX_FILES + 1 }, (_, index) => yaml(`.cds/${index}`))],
    ['a file that is too large', [{ path: '.cds/a', content: 'x'.repeat(MAX_FILE_BYTES + 1) }]],
    [
      'too much in all',
      Array.from({ length: 9 }, (_, index) => ({
        path: `.cds/${index}`,
        content: 'x'.repeat(MAX_FILE_BYTES),
      })),
    ],
  ])('of %s is 400 before a file is read', async (_, files) => {
    commitFiles(...files);
    const answer = await archive();
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString()).message).toContain('an archive holds at most');
    expect(paths().every((path) => path.endsWith('.cds/'))).toBe(true);
  });

  it.each([{ format: 'zip' }, { path: '../..' }, { commit: '' }, { commit: undefined }])(
    'is checked: %j is 400',
    async (body) => {
      expect((await archive(body)).status).toBe(400);
    },
  );

  it('whose first file cannot be read is an error with its status', async () => {
    commitFiles(yaml('.cds/a.yml'));
    context.bitbucket.disturb({ path: /a\.yml/, status: 403, body: { error: { message: 'no' } } });
    const answer = await archive();
    expect(answer.status).toBe(403);
  });

  it('is broken off, never ended early, where a later file cannot be read', async () => {
    commitFiles(...Array.from({ length: 40 }, (_, index) => yaml(`.cds/${index + 10}.yml`)));
    context.bitbucket.disturb({ path: /45\.yml/, status: 403, body: { error: { message: 'no' } } });
    await expect(archive()).rejects.toThrow(/aborted|socket hang up|ECONNRESET/);
  });
});
