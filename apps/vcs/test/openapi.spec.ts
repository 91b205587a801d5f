import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMetrics, createReadiness } from '@cds/service';
import { describeShared } from '@cds/testing';
import { createAnswerCheck, routesOfApp, validateOpenApi } from '@cds/testing/openapi';
import { useTestContext, type VcsInstance } from './test-context.fixture';

const REPO = '/vcs/bitbucketcloud/repos/acme/widgets';
const URL = 'https://hooks.acme.example/webhook/00000000-0000-4000-8000-000000000000';

const context = useTestContext();
let vcs: VcsInstance;
let readiness: ReturnType<typeof createReadiness>;

beforeEach(() => {
  readiness = createReadiness({ refusal: async () => undefined });
  vcs = context.instance({ metrics: createMetrics({ service: 'vcs' }), readiness });
});
type Method = Parameters<VcsInstance['call']>[0];

/** On behalf of the project. */
async function call(method: Method, path: string, body?: unknown): Promise<number> {
  const request = vcs.call(method, path, context.pair);
  const answer = await (body === undefined
    ? request
    : request.set('content-type', 'application/json').send(JSON.stringify(body)));
  return answer.status;
}

/** What the service serves. */
async function served(): Promise<{ paths: Record<string, Record<string, object>> }> {
  return (await vcs.call('get', '/openapi.json')).body;
}

describe('/openapi.json of vcs', () => {
  it('is right by the specification', async () => {
    const document = await served();
    validateOpenApi(document);
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'vcs' } });
  });

  it('tells of every route that Express has, and of no other', async () => {
    const { paths } = await served();
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const registered = routesOfApp(vcs.app.app).map((route) => route.replace(/[:*](\w+)/g, '{$1}'));
    expect(described.toSorted()).toEqual(registered.toSorted());
  });

  it('is what the service answers, to every route', async () => {
    const { document, widgets, bitbucket } = context;
    document.seen.clear();
    const commit = String(widgets.commits[0]?.hash);
    widgets.branches.set('feat/one', String(widgets.commits[1]?.hash));
    widgets.tags.push({ name: 'v1/rc', message: 'first', hash: commit });
    widgets.files.set(commit, [{ path: '.cds/a.yml', content: 'name: a' }]);

    for (const path of [
      '/openapi.json',
      '/mon/status',
      '/mon/version',
      '/mon/ready',
      '/mon/metrics',
    ])
      expect(await call('get', path)).toBe(200);
    readiness.stop();
    expect(await call('get', '/mon/ready')).toBe(503);

    expect(await call('get', '/vcs')).toBe(200);
    expect(await call('get', '/vcsgerrit')).toBe(200);
    for (const what of ['', '/polling', '/webhooks', '/authorize']) {
      expect(await call('get', `/vcs/bitbucketcloud${what}`)).toBe(200);
      expect(await call('get', `/vcs/nobody${what}`)).toBe(404);
    }
    expect(await call('post', '/vcs/nobody/authorize', {})).toBe(404);
    expect(await call('post', '/vcs/bitbucketcloud/authorize', { secret: '' })).toBe(400);
    const secret = bitbucket.oauth.code();
    expect(await call('post', '/vcs/bitbucketcloud/authorize', { secret })).toBe(200);

    expect(
      await call('post', `${REPO}/pullrequests`, {
        title: 'One',
        head: { branch: { display_id: 'feat/one' } },
        base: { branch: { display_id: 'main' } },
      }),
    ).toBe(200);
    const id = widgets.pullRequests[0]?.id;
    expect(await call('post', `${REPO}/hooks`, { name: 'one', url: URL })).toBe(200);
    expect(await call('put', `${REPO}/hooks`, { name: 'one', url: URL })).toBe(200);
    expect(
      await call('post', '/vcs/bitbucketcloud/status', {
        type_event: 'sdk.EventRunWorkflowNode',
        project_key: 'PROJ',
        workflow_name: 'wf',
        payload: {
          NodeName: 'build',
          Status: 'Success',
          Number: 1,
          Hash: commit,
          RepositoryFullName: 'acme/widgets',
        },
      }),
    ).toBe(204);
    for (const path of [
      '/vcs/bitbucketcloud/repos',
      ...['', '/forks', '/branches', '/branches/?branch=feat/one', '/tags'].map((p) => REPO + p),
      `${REPO}/branches/commits?branch=main`,
      `${REPO}/commits?head=main`,
      `${REPO}/commits/v1/rc`,
      `${REPO}/commits/${commit}/statuses`,
      `${REPO}/pullrequests`,
      `${REPO}/pullrequests/${id}`,
      `${REPO}/search/pullrequest?commit=${widgets.pullRequests[0]?.source.hash}`,
      `${REPO}/tags/v1%2Frc`,
      `${REPO}/hooks?url=${URL}`,
      `${REPO}/contents/.cds?commit=${commit}&offset=0&limit=1`,
      `${REPO}/content/.cds%2Fa.yml?commit=${commit}`,
    ])
      expect([path, await call('get', path)]).toEqual([path, 200]);
    expect(await call('post', `${REPO}/pullrequests/${id}/comments`, 'text')).toBe(204);
    expect(await call('post', `${REPO}/pullrequests/comments`, { id, message: 'text' })).toBe(204);
    expect(await call('delete', `${REPO}/hooks?url=${URL}`)).toBe(204);

    const archive = { path: '.cds', format: 'tar.gz', commit };
    expect(await call('post', `${REPO}/archive`, archive)).toBe(200);
    expect(await call('post', `${REPO}/archive`, { ...archive, path: 'nope' })).toBe(404);
    const insight = { title: 'CDS', detail: 'Done', data: [] };
    expect(await call('post', `${REPO}/commits/${commit}/insight/cds`, insight)).toBe(204);

    for (const path of [
      `${REPO}/branches/`,
      `${REPO}/commits/x/`,
      `${REPO}/pullrequests/xx`,
      `${REPO}/events?since=xx`,
    ])
      expect(await call('get', path)).toBe(400);
    for (const what of ['grant', 'releases', 'releases/1/artifacts/a'])
      expect(await call('post', `${REPO}/${what}`, {})).toBe(501);
    expect(await call('get', `${REPO}/events?since=1`)).toBe(501);
    expect(await call('post', `${REPO}/events?filter=push`, [])).toBe(501);
    expect(await call('post', `${REPO}/events?filter=nope`, [])).toBe(400);
    const polling = context.instance({ server: { polling: true } });
    const looked = await polling.call('get', `${REPO}/events`, context.pair);
    expect(looked.status).toBe(200);
    const filtered = polling.call('post', `${REPO}/events?filter=push`, context.pair);
    expect((await filtered.set('content-type', 'application/json').send('[]')).status).toBe(200);
    expect(await call('delete', `${REPO}/tags`)).toBe(404);

    // Every route of a project, without its tokens; and of a server that there is not.
    const ofProject = document
      .documented()
      .filter((answer) => answer.endsWith(' 403'))
      .map((answer) => answer.split(' '));
    for (const [method = '', template = ''] of ofProject) {
      const verb = method.toLowerCase() as Method;
      const path = template.replaceAll('{name}', 'bitbucketcloud').replace(/\{\w+\}/g, '1');
      expect((await vcs.call(verb, path)).status).toBe(401);
      expect(await call(verb, path.replace('bitbucketcloud', 'nobody'))).toBe(404);
    }

    const due = document.documented().filter((answer) => / (200|204|404|501)$/.test(answer));
    expect(due.filter((answer) => !document.seen.has(answer))).toEqual([]);
    expect(ofProject.length).toBeGreaterThan(20);
  });

  it('is held against every answer: another one is told of', () => {
    const { document } = context;
    const seen = {
      method: 'GET',
      path: '/mon/version',
      status: 200,
      contentType: 'application/json',
    };
    const version = { version: '', architecture: '', os: '', git_hash: '', build_time: '' };
    const answer = (change: object) => () =>
      document.answer({
        ...seen,
        text: JSON.stringify({ ...version, db_migrate: null }),
        ...change,
      });
    expect(answer({})).not.toThrow();
    expect(answer({ text: JSON.stringify(version) })).toThrow(/db_migrate/);
    expect(answer({ text: JSON.stringify({ ...version, db_migrate: null, more: 1 }) })).toThrow(
      /additional/,
    );
    expect(answer({ status: 418 })).toThrow(/documents no 418/);
    expect(answer({ contentType: 'text/html' })).toThrow(/documents application\/json/);
    expect(answer({ path: '/nowhere' })).toThrow(/no such route/);
    expect(() =>
      createAnswerCheck({
        paths: {
          '/x': {
            get: {
              responses: {
                200: { content: { 'application/json': { schema: { $ref: '#/nowhere' } } } },
              },
            },
          },
        },
      }).answer({ ...seen, path: '/x', text: '{}' }),
    ).toThrow(/resolve/);
  });
});

describeShared('the recorded requests to vcs', (root) => {
  interface Exchange {
    request: { method: string; url: string; body: unknown };
    response: { status: number };
  }

  it('are requests of the document wherever they were taken', () => {
    const file = join(root, 'contract', 'api-to-vcs.json');
    const problems = (JSON.parse(readFileSync(file, 'utf8')) as Exchange[])
      .filter(({ response }) => response.status < 300)
      .map(({ request: { method, url, body } }) =>
        context.document.requestProblem(method, url, body),
      );
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
    expect(problems.length).toBeGreaterThan(20);
  });
});
