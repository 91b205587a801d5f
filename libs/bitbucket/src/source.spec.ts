import { context, fastClient } from '../test/client.fixture';
import { type FakeBitbucket, startFakeBitbucket } from '../test/fake-bitbucket.fixture';
import { hashOf } from '../test/values.fixture';

const repo = { workspace: 'ws', slug: 'repo' };
const commit = hashOf('main');
const at = `repositories|ws|repo|src|${commit}`;

let bitbucket: FakeBitbucket;
beforeEach(async () => {
  bitbucket = await startFakeBitbucket();
});
afterEach(() => bitbucket.close());

const client = () => fastClient(bitbucket.apiUrl);
const entry = (path: string, more: object = {}) => ({ type: 'commit_file', path, ...more });
const list = (directory: string, o = { maxDepth: 1, limit: 1_000 }) =>
  client().listSource(repo, commit, directory, o, context());

describe('the source of a commit', () => {
  it('is listed by directory, with what each entry is', async () => {
    bitbucket.lists.set(`${at}|a b|ü#|`, {
      values: [
        { type: 'commit_directory', path: 'a b/ü#/deep/' },
        entry('a b/ü#/plain', { size: 7, attributes: [] }),
        entry('a b/ü#/run', { size: 8, attributes: ['executable', 'binary'] }),
        entry('a b/ü#/link', { size: 9, attributes: ['link'] }),
        entry('a b/ü#/sub', { size: 40, attributes: 'subrepository' }),
        entry('a b/ü#/lfs', { size: 130, attributes: ['lfs'] }),
        { type: 'commit_something', path: 'a b/ü#/new' },
      ],
    });
    expect(await list('a b/ü#')).toEqual([
      { path: 'a b/ü#/deep', kind: 'directory', isExecutable: false, size: 0 },
      { path: 'a b/ü#/plain', kind: 'file', isExecutable: false, size: 7 },
      { path: 'a b/ü#/run', kind: 'file', isExecutable: true, size: 8 },
      { path: 'a b/ü#/link', kind: 'link', isExecutable: false, size: 0 },
      { path: 'a b/ü#/sub', kind: 'submodule', isExecutable: false, size: 0 },
      { path: 'a b/ü#/lfs', kind: 'lfs', isExecutable: false, size: 0 },
      { path: 'a b/ü#/new', kind: 'submodule', isExecutable: false, size: 0 },
    ]);
    const [request] = bitbucket.requests;
    expect(request?.rawPath).toBe(`/2.0/repositories/ws/repo/src/${commit}/a%20b/%C3%BC%23/`);
    expect(request?.query.get('max_depth')).toBe('1');
  });

  it('is listed from the root, and no further than asked', async () => {
    const values = Array.from({ length: 250 }, (_, index) => entry(`f${index}`));
    bitbucket.lists.set(`${at}|`, { values });
    expect(await list('', { maxDepth: 3, limit: 5 })).toHaveLength(5);
    expect(await list('', { maxDepth: 3, limit: 150 })).toHaveLength(150);
    expect(bitbucket.requests.map(({ query }) => query.get('pagelen'))).toEqual([
      '10',
      '100',
      '100',
    ]);
  });

  it.each(['..', 'a/../b', 'a//b', './a'])('is not looked for outside: %s is 404', async (path) => {
    await expect(list(path)).rejects.toMatchObject({ status: 404 });
    await expect(client().readSource(repo, commit, path, context())).rejects.toMatchObject({
      status: 404,
    });
    expect(bitbucket.requests).toEqual([]);
  });

  it('tells what one path is', async () => {
    bitbucket.objects.set(`${at}|a|b.yml`, entry('a/b.yml', { size: 3 }));
    expect(await client().getSourceEntry(repo, commit, 'a/b.yml', context())).toMatchObject({
      ...{ path: 'a/b.yml', kind: 'file', size: 3 },
    });
    expect(bitbucket.requests[0]?.query.get('format')).toBe('meta');
  });

  it('is read as it is, of whatever type', async () => {
    bitbucket.objects.set(`${at}|a|b.json`, { version: '1.2.3' });
    const bytes = await client().readSource(repo, commit, 'a/b.json', context());
    expect(JSON.parse(bytes.toString())).toEqual({ version: '1.2.3' });
    expect(bitbucket.requests[0]?.headers.accept).toBe('*/*');
  });

  it('in Git LFS, which is elsewhere, is not followed with the token', async () => {
    bitbucket.scripted.push(() => ({
      status: 301,
      headers: { location: 'https://api.media.atlassian.com/file/1' },
    }));
    await expect(client().readSource(repo, commit, 'big', context())).rejects.toMatchObject({
      kind: 'invalid-answer',
    });
  });
});

it('a report is put under its id', async () => {
  const bodies: object[] = [];
  bitbucket.writes.set(`PUT repositories|ws|repo|commit|${commit}|reports|cds/event`, (body) => {
    bodies.push(body);
    return { body };
  });
  const report = { id: 'cds/event', title: 'CDS', details: 'Done', reporter: 'CDS', data: [] };
  await client().putReport(repo, commit, { ...report, type: 'TEST' }, context());
  await client().putReport(
    ...[repo, commit, { ...report, type: 'TEST' as const, result: 'PASSED' as const }, context()],
  );
  const body = { title: 'CDS', details: 'Done', reporter: 'CDS', report_type: 'TEST', data: [] };
  expect(bodies).toEqual([body, { ...body, result: 'PASSED' }]);
});
