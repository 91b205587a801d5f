import { gunzipSync } from 'node:zlib';
import { type BitbucketStandIn as Bitbucket, startBitbucket } from '@cds/stand-ins/bitbucket';
import { unpackTar } from 'modern-tar';
import request from 'supertest';
import { useTestContext } from './test-context.fixture';

const REPO = '/vcs/bbc/repos/acme/web-shop';

/** With the stand-in of the sandbox, which is as strict as Bitbucket about tokens and paths. */
describe('workflows as code', () => {
  const context = useTestContext();
  let bitbucket: Bitbucket;
  let commit: string;
  let headers: Record<string, string>;

  beforeEach(async () => {
    bitbucket = await startBitbucket();
    const deep = Array.from({ length: 8 }, (_, level) => `d${level}`).join('/');
    ({ hash: commit } = await bitbucket.push({
      ...{ repo: 'acme/web-shop', branch: 'feature/as code' },
      files: {
        '.cds/workflows/build.yml': 'name: build\n',
        [`.cds/worker-models/${deep}/model.yml`]: 'name: model\n',
        '.cds/link.yml': { content: '/etc/passwd', attributes: ['link'] },
        'package.json': '{"version":"1.2.3"}',
      },
    }));
    await bitbucket.createTag({ repo: 'acme/web-shop', tag: 'v1/rc', target: commit });
    const values = {
      ...{ TYPE: 'bitbucketcloud', URL: 'https://bitbucket.org/acme', USERNAME: 'x-token-auth' },
      ...{ 'URL-API': bitbucket.apiUrl, TOKEN: bitbucket.issueAccessToken({ workspace: 'acme' }) },
    };
    headers = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        `X-CDS-VCS-${name}`,
        Buffer.from(value).toString('base64'),
      ]),
    );
  });

  afterEach(() => bitbucket.close());

  const agent = () => request(context.instance({ apiVersion: [0, 57] }).app.app);
  const get = (path: string) =>
    agent()
      .get(REPO + path)
      .set({ ...headers, X_AUTH_HEADER: 'aGFzaA==' });
  const post = (path: string, body: object) =>
    agent()
      .post(REPO + path)
      .set({ ...headers, X_AUTH_HEADER: 'aGFzaA==' })
      .send(body);

  it('are found by the branch of an analysis, and by its tag', async () => {
    const ref = encodeURIComponent('refs/heads/feature/as code');
    const branch = await get(`/branches/?branch=${ref}&default=false&noCache=true`);
    expect(branch.body).toMatchObject({
      ...{ id: 'refs/heads/feature/as code', display_id: 'feature/as code' },
      ...{ latest_commit: commit, default: false },
    });
    expect((await get('/tags/v1%2Frc')).body).toMatchObject({ tag: 'v1/rc', hash: commit });
  });

  it('are listed, and read as an archive of all levels', async () => {
    const listed = await get(`/contents/.cds?commit=${commit}&offset=0&limit=1`);
    expect(listed.status).toBe(200);
    const body = { path: '.cds', format: 'tar.gz', commit };
    const archive = await post('/archive', body).buffer(true).parse(readBytes);
    const entries = await unpackTar(gunzipSync(archive.body as Buffer));
    expect(entries.map(({ header }) => header.name)).toEqual([
      '.cds/worker-models/d0/d1/d2/d3/d4/d5/d6/d7/model.yml',
      '.cds/workflows/build.yml',
    ]);
  });

  it('have their version in a file', async () => {
    const { body } = await get(`/content/package.json?commit=${commit}`);
    expect(body).toMatchObject({ IsFile: true, Content: '{"version":"1.2.3"}' });
  });

  it('report on the commit', async () => {
    const href = 'https://cds.acme.example/project/AC/run/1';
    const detail = 'Event "push" (70384893-5065-4a71-91b4-8e71e2786c7b): Done';
    const data = [{ title: 'build #1', type: 'LINK', text: 'Done', href }];
    const answer = await post(`/commits/${commit}/insight/cds-event`, {
      ...{ title: 'CDS', detail, data },
    });
    expect(answer.status).toBe(204);
    expect(bitbucket.reports('acme/web-shop', commit).get('cds-event')).toMatchObject({
      ...{ title: 'CDS', details: detail, result: 'PASSED' },
      data: [{ title: 'build #1', type: 'LINK', value: { text: 'Done', href } }],
    });
  });
});

function readBytes(
  res: NodeJS.EventEmitter,
  done: (error: Error | null, body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  res.on('data', (chunk: Buffer) => chunks.push(chunk));
  res.on('end', () => done(null, Buffer.concat(chunks)));
}
