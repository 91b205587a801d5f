import { bitbucketUnderTest, refusal, type BitbucketUnderTest } from './bitbucket.fixture';
import type { Json } from './model';

const REPO = '/repositories/acme/web-shop';

let bitbucket: BitbucketUnderTest;
let hash: string;
beforeEach(async () => {
  bitbucket = await bitbucketUnderTest();
  const pushed = await bitbucket.standIn.push({
    ...{ repo: 'acme/web-shop', branch: 'feature/x' },
    files: {
      '.cds/workflows/w.yml': 'name: w\n',
      '.cds/worker-models/a/b.yml': 'name: b\n',
      'a b.txt': 'text',
    },
  });
  ({ hash } = pushed);
});
afterEach(() => bitbucket.standIn.close());

const get = (path: string) => bitbucket.call('GET', `${REPO}${path}`);
const put = (id: string, body: unknown, at = hash) =>
  bitbucket.call('PUT', `${REPO}/commit/${at}/reports/${id}`, body);
const paths = (json: Json) => (json['values'] as Json[]).map(({ path }) => path);

describe('the source of a commit', () => {
  it('is listed by directory, as deep as asked', async () => {
    expect(paths((await get(`/src/${hash}/`)).json)).toEqual(['.cds', 'README.md', 'a b.txt']);
    expect(paths((await get(`/src/${hash}/.cds/?max_depth=2`)).json)).toEqual([
      '.cds/worker-models',
      '.cds/worker-models/a',
      '.cds/workflows',
      '.cds/workflows/w.yml',
    ]);
    expect(paths((await get(`/src/${hash}/.cds?fields=values.path`)).json)).toHaveLength(2);
    expect((await get(`/src/${hash}/.cds/?max_depth=0`)).status).toBe(400);
    expect((await get(`/src/${hash}/.cds/?max_depth=99`)).status).toBe(555);
    expect((await get(`/src/${hash}/.cds/?pagelen=9`)).status).toBe(400);
  });

  it('is read as it is, with its meta data on request', async () => {
    const answer = await get(`/src/${hash}/a%20b.txt`);
    expect(answer.text).toBe('text');
    expect(answer.headers['content-disposition']).toContain('attachment');
    expect((await get(`/src/${hash}/a%20b.txt?format=meta`)).json).toMatchObject({
      ...{ type: 'commit_file', path: 'a b.txt', size: 4, attributes: [] },
    });
    expect((await get(`/src/${hash}/.cds?format=meta`)).json).toMatchObject({
      ...{ type: 'commit_directory', path: '.cds' },
    });
  });

  it('of a commit stays, whatever later ones change', async () => {
    const { hash: later } = await bitbucket.standIn.push({
      ...{ repo: 'acme/web-shop', branch: 'feature/x', commits: 2 },
      files: { 'a b.txt': null, '.cds/workflows/w.yml': 'name: other\n' },
    });
    expect((await get(`/src/${hash}/.cds/workflows/w.yml`)).text).toBe('name: w\n');
    expect((await get(`/src/${later}/.cds/workflows/w.yml`)).text).toBe('name: other\n');
    expect((await get(`/src/${later}/a%20b.txt`)).status).toBe(404);
  });

  it.each([
    ['/nope', 404, 'No such file or directory: nope'],
    ['/a%20b.txt/', 404, 'No such file or directory: a b.txt/'],
    ['/README.md?format=yaml', 400, 'Unsupported format: yaml'],
  ])('refuses %s', async (path, status, message) => {
    const answer = await get(`/src/${hash}${path}`);
    expect(answer.status).toBe(status);
    expect(refusal(answer)['message']).toBe(message);
  });

  it('knows no commit by a name with a slash, and hides what may not be read', async () => {
    expect((await get('/src/feature%2Fx/README.md')).status).toBe(404);
    expect((await get(`/src/main/README.md`)).status).toBe(200);
    const elsewhere = await bitbucket.call('GET', '/repositories/elsewhere/secret/src/main/');
    expect(elsewhere.status).toBe(404);
  });

  it('in Git LFS is elsewhere', async () => {
    const { hash: later } = await bitbucket.standIn.push({
      ...{ repo: 'acme/web-shop', branch: 'feature/x' },
      files: { big: { content: 'version https://git-lfs', attributes: ['lfs'] } },
    });
    const answer = await get(`/src/${later}/big`);
    expect(answer.status).toBe(301);
    expect(answer.headers['location']).toMatch(/^https:\/\/api\.media\.atlassian\.com\//);
  });
});

describe('a report about a commit', () => {
  const report = {
    ...{ title: 'CDS', details: 'Done', report_type: 'TEST', result: 'PASSED' },
    data: [
      { title: 'Run', type: 'LINK', value: { text: 'wf #1', href: 'https://cds.example/run/1' } },
      { title: 'Tests', type: 'NUMBER', value: 12 },
    ],
  };

  it('is stored under its id, and overwritten', async () => {
    expect((await put('cds-event', report)).status).toBe(200);
    await put('cds-event', { ...report, result: 'FAILED' });
    expect((await get(`/commit/${hash}/reports`)).json['values']).toHaveLength(1);
    expect((await get(`/commit/${hash}/reports/cds-event`)).json).toMatchObject({
      ...{ title: 'CDS', result: 'FAILED', external_id: 'cds-event' },
    });
    expect(bitbucket.standIn.reports('acme/web-shop', hash).get('cds-event')).toMatchObject({
      result: 'FAILED',
    });
    expect((await get(`/commit/${hash}/reports/other`)).status).toBe(404);
  });

  const link = (href: string) => ({
    data: [{ title: 'Run', type: 'LINK', value: { text: 'wf #1', href } }],
  });
  it.each([
    { title: '' },
    { details: undefined },
    { title: 'x'.repeat(451) },
    { details: 'x'.repeat(2_001) },
    { report_type: 'BUILD' },
    { result: 'DONE' },
    { data: Array(11).fill(report.data[1]) },
    { data: [{ title: 'Run', type: 'LINK', value: 'https://cds.example' }] },
    { data: [{ title: 'Run', type: 'TEXT', value: '' }] },
    { data: [{ type: 'TEXT', value: 'x' }] },
    link('http://localhost/run/1'),
    link('http://cds/run/1'),
    link('https://cds.internal/run/1'),
  ])('is refused: %j', async (change) => {
    expect((await put('cds-event', { ...report, ...change })).status).toBe(400);
    expect(bitbucket.standIn.reports('acme/web-shop', hash).size).toBe(0);
  });

  it('needs a commit', async () => {
    expect((await put('cds-event', report, '1'.repeat(40))).status).toBe(404);
  });
});
