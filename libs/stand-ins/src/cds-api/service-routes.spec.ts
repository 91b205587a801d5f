import { startCdsApi, type CdsApiStandIn } from './index';
import { callApi, registration, scriptedService, type ScriptedService } from './services.fixture';

let api: CdsApiStandIn;
let hooks: ScriptedService;
let hash: string;

const register = (body: unknown) => callApi(api, 'POST', '/services/register', { body });

beforeEach(async () => {
  api = await startCdsApi();
  hooks = await scriptedService();
  hooks.answers['POST /task/bulk'] = ({ body }) => {
    const map = body as Record<string, { config: Record<string, unknown> }>;
    for (const [uuid, hook] of Object.entries(map))
      hook.config['webHookURL'] = { value: `https://hooks.example/webhook/${uuid}` };
    return { body: map };
  };
  hash = String((await register(registration('h', 'hooks', hooks.url))).json['hash']);
});
afterEach(async () => {
  await api.close();
  await hooks.close();
});

const refused = (id: number) => ({
  id,
  message: expect.any(String) as string,
  data: null,
  uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
});

describe('registration', () => {
  it('gives one hash to a name, and takes the last URL', async () => {
    const again = await register(registration('h', 'hooks', 'http://127.0.0.1:1'));
    expect(again.json).toMatchObject({ hash, token: '', group_id: 1, up_to_date: true });
    expect((await register(registration('h2', 'hooks', hooks.url))).json['hash']).not.toBe(hash);
    expect(api.services()).toMatchObject([
      { name: 'h', url: 'http://127.0.0.1:1', heartbeats: 2 },
      { name: 'h2' },
    ]);
  });

  it('sees a version other than its own', async () => {
    const other = { ...registration('h', 'hooks', hooks.url), version: '0.1.0' };
    expect((await register(other)).json['up_to_date']).toBe(false);
  });

  it('is by the token, the version and the hash that the API has by then', async () => {
    api.setSharedInfraToken('new');
    api.setVersion('0.42.0');
    const body = { ...registration('h', 'hooks', hooks.url), version: '0.42.0' };
    expect((await register(body)).status).toBe(401);
    const { json } = await register({ ...body, token: api.sharedInfraToken });
    expect(json).toMatchObject({ hash, up_to_date: true });
    expect((await callApi(api, 'GET', '/mon/version')).json['version']).toBe('0.42.0');

    const other = await startCdsApi({ hash: 'given' });
    const answer = await callApi(other, 'POST', '/services/register', {
      body: registration('h', 'hooks', hooks.url),
    });
    expect(answer.json['hash']).toBe('given');
    await other.close();
  });

  it.each([
    ['another token', 401, 10, { token: 'wrong' }],
    ['no name', 400, 74, { name: '' }],
    ['a relative URL', 400, 74, { http_url: 'localhost:8083' }],
    ['an unknown type', 400, 74, { type: 'vcss' }],
    ['a monitoring status of another shape', 400, 74, { monitoring_status: { now: 'today' } }],
    ['an id that is text', 400, 74, { id: '0' }],
  ])('is refused with %s', async (_what, status, id, more) => {
    const answer = await register({ ...registration('h', 'hooks', hooks.url), ...more });
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual(refused(id));
  });

  it('is refused to who is not a service, during maintenance, and as bad JSON', async () => {
    const body = registration('h', 'hooks', hooks.url);
    expect((await callApi(api, 'POST', '/services/register', { body, agent: 'curl' })).status).toBe(
      401,
    );
    expect((await register('{bad')).json).toEqual(refused(74));
    api.setMaintenance(true);
    expect((await register(body)).status).toBe(503);
  });
});

describe('the VCS servers', () => {
  let vcs: ScriptedService;
  beforeEach(async () => {
    vcs = await scriptedService();
  });
  afterEach(() => vcs.close());
  const config = () => callApi(api, 'GET', '/config/vcs', { hash });

  it('are those of vcs, and none without one', async () => {
    expect((await config()).text).toBe('{}');
    const servers = { bitbucketcloud: { url: 'https://bitbucket.org', type: 'bitbucketcloud' } };
    vcs.answers['GET /vcs'] = () => ({ body: servers });
    await register(registration('v', 'vcs', vcs.url));
    expect((await config()).json).toEqual(servers);
  });

  it.each([
    ['an error of CDS with its status', 401, { id: 10, message: 'not authenticated' }, 401, 10],
    ['any other answer as its own error', 401, 'Unauthorized', 500, 1],
  ])('hand on %s', async (_what, status, body, expected, id) => {
    vcs.answers['GET /vcs'] = () => ({ status, body });
    await register(registration('v', 'vcs', vcs.url));
    const answer = await config();
    expect(answer.status).toBe(expected);
    expect(answer.json['id']).toBe(id);
  });
});

describe('the guard', () => {
  it('wants the hash of a service and the name of one', async () => {
    expect((await callApi(api, 'GET', '/workflow/hook', { hash })).text).toBe('[]');
    for (const wrong of [{}, { hash: 'nope' }, { hash, agent: 'axios/1.21' }])
      expect(await callApi(api, 'GET', '/workflow/hook', wrong)).toMatchObject({
        status: 401,
        json: refused(10),
      });
    api.forgetServices();
    expect((await callApi(api, 'GET', '/workflow/hook', { hash })).status).toBe(401);
    expect((await callApi(api, 'GET', '/mon/version', { agent: 'curl' })).json).toMatchObject({
      version: '0.41.0',
      db_migrate: '0',
    });
    expect((await callApi(api, 'GET', '/nope', { hash })).status).toBe(401);
  });
});

describe('runs', () => {
  const run = (path: string, body: unknown) => callApi(api, 'POST', path, { hash, body });
  const event = {
    hook: {
      payload: { 'git.branch': 'dev', 'cds.triggered_by.username': 'jane' },
      uuid: 'u',
      parent_workflow: { key: '', name: '', run: 0, HookRunID: '' },
    },
  };
  beforeEach(() => api.workflows.createWebhookWorkflow({ project: 'P', name: 'w' }));

  it('are numbered and kept', async () => {
    const first = await run('/project/P/workflows/w/runs', event);
    expect(first.status).toBe(202);
    expect(first.json).toMatchObject({ num: 1, status: 'Pending', workflow: { name: 'w' } });
    expect((await run('/project/P/workflows/w/runs', event)).json['num']).toBe(2);
    expect(api.runs('P', 'w')).toMatchObject([{ number: 1, event: event.hook }, { number: 2 }]);
  });

  it.each([
    ['an unknown project', '/project/NOPE/workflows/w/runs', event, 404, 30],
    ['an unknown workflow', '/project/P/workflows/nope/runs', event, 404, 92],
    ['bad JSON', '/project/P/workflows/w/runs', '{bad', 400, 74],
    ['no hook', '/project/P/workflows/w/runs', {}, 400, 74],
    [
      'a number in the payload',
      '/project/P/workflows/w/runs',
      { hook: { payload: { n: 1 }, uuid: 'u' } },
      400,
      74,
    ],
    ['a trailing slash', '/project/P/workflows/w/runs/', event, 404, 38],
  ])('are refused for %s', async (_what, path, body, status, id) => {
    expect(await run(path, body)).toMatchObject({ status, json: refused(id) });
  });

  it('of a branch are removed, unless its name has a slash', async () => {
    await run('/project/P/workflows/w/runs', event);
    const remove = (path: string) => callApi(api, 'DELETE', path, { hash });

    expect(await remove('/project/P/workflows/w/runs/branch/feat%2Fb1')).toMatchObject({
      status: 404,
      json: refused(38),
    });
    expect((await remove('/project/P/workflows/w/runs/branch/feat/b1')).status).toBe(404);
    expect((await remove('/project/P/workflows/w/runs/branch/develop')).text).toBe('null');
    expect(api.runs('P', 'w')).toHaveLength(1);
    expect(await remove('/project/P/workflows/w/runs/branch/dev')).toMatchObject({
      status: 200,
      text: 'null',
    });
    expect(api.runs('P', 'w')).toEqual([]);
    expect((await remove('/project/P/workflows/nope/runs/branch/dev')).text).toBe('null');
    expect(api.removals()).toMatchObject([
      { branch: 'develop', runs: 0 },
      { branch: 'dev', runs: 1 },
      { workflow: 'nope', runs: 0 },
    ]);
  });

  it('of a branch with a slash are removed by a CDS from 0.52 on', async () => {
    const newer = await startCdsApi({ matchesEscapedSlash: true });
    const registered = await callApi(newer, 'POST', '/services/register', {
      body: registration('h', 'hooks', hooks.url),
    });
    await newer.workflows.createWebhookWorkflow({ project: 'P', name: 'w' });
    const answer = await callApi(newer, 'DELETE', '/project/P/workflows/w/runs/branch/feat%2Fb1', {
      hash: String(registered.json['hash']),
    });
    await newer.close();
    expect(answer.status).toBe(200);
  });
});

describe('what happened in the repository of a hook', () => {
  let vcs: ScriptedService;
  let path: string;
  const push = (id: string) => ({ commit: { id, message: 'M' }, branch: { id: 'main' } });

  beforeEach(async () => {
    vcs = await scriptedService();
    await register(registration('v', 'vcs', vcs.url));
    hooks.answers['POST /task/bulk'] = ({ body }) => ({ body });
    const { hook, id } = await api.workflows.createPollerWorkflow({
      ...{ project: 'P', name: 'w', repo: 'acme/web-shop' },
    });
    path = `/hook/${hook.uuid}/workflow/${id}/vcsevent/bitbucketcloud`;
  });
  afterEach(() => vcs.close());

  const link = async () => {
    api
      .projects()
      .find(({ key }) => key === 'P')
      ?.links.set('bitbucketcloud', {
        ...{ server: 'bitbucketcloud', accessToken: 'a', refreshToken: 'r', created: 1 },
      });
    const supported = { polling_supported: true, polling_disabled: false };
    vcs.answers['GET /vcs/bitbucketcloud/polling'] = () => ({ body: supported });
    vcs.answers['GET /vcs/bitbucketcloud/repos/acme/web-shop/events'] = () => ({
      body: { events: [{ kind: 'x' }], delay: 90_000_000_000 },
    });
    vcs.answers['POST /vcs/bitbucketcloud/repos/acme/web-shop/events'] = ({ url }) => ({
      body: url.endsWith('push') ? [push('new'), push('ran')] : [],
    });
    await callApi(api, 'POST', '/project/P/workflows/w/runs', {
      hash,
      body: { hook: { payload: { 'git.hash': 'ran' }, uuid: 'u' } },
    });
  };

  it('is asked of vcs, without commits that have a run', async () => {
    await link();
    const answer = await callApi(api, 'GET', path, {
      hash,
      headers: { 'X-CDS-Last-Execution': '1795343649123000000' },
    });
    expect(answer).toMatchObject({ status: 200, headers: { 'x-cds-poll-interval': '90' } });
    expect(answer.json).toEqual({
      push_events: [push('new')],
      create_events: null,
      delete_events: null,
      pullrequest_events: null,
    });
    expect(vcs.seen.map(({ url }) => url)).toContain(
      '/vcs/bitbucketcloud/repos/acme/web-shop/events?since=1795343649',
    );
    expect(vcs.seen.at(-1)?.body).toEqual([{ kind: 'x' }]);
    const filters = vcs.seen.flatMap(({ url }) => /filter=(\w+)/.exec(url)?.[1] ?? []);
    expect(filters).toEqual(['push', 'pullrequests']);
  });

  it('is null where nothing is polled, and refused for what is wrong', async () => {
    const ask = (at = path, since = '1') =>
      callApi(api, 'GET', at, { hash, headers: { 'X-CDS-Last-Execution': since } });
    expect(await ask()).toMatchObject({ status: 404, json: refused(38) });
    await link();
    vcs.answers['GET /vcs/bitbucketcloud/polling'] = () => ({
      body: { polling_supported: false, polling_disabled: false },
    });
    expect((await ask()).text).toBe('null');
    expect(await ask(path.replace(/hook\/[^/]+/, 'hook/other'))).toMatchObject({
      status: 404,
      json: refused(38),
    });
    expect(await ask(path, 'now')).toMatchObject({ status: 400, json: refused(74) });
    expect(await ask(path.replace(/workflow\/\d+/, 'workflow/w'))).toMatchObject({ status: 400 });
  });
});

describe('faults', () => {
  it('are errors of CDS, pages of a proxy, or no answer at all', async () => {
    const ask = () => callApi(api, 'GET', '/workflow/hook', { hash });

    api.failWithCdsError({ path: 'workflow' });
    expect(await ask()).toMatchObject({ status: 500, json: refused(1) });
    api.failAsProxy();
    expect(await ask()).toMatchObject({ status: 502, headers: { 'content-type': 'text/html' } });
    await api.away();
    await expect(ask()).rejects.toThrow('ECONNREFUSED');
    await api.back();
    expect((await ask()).status).toBe(200);
  });
});
