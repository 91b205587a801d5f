import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NO_PARENT_WORKFLOW, type NodeHook } from '@cds/wire';
import { describeShared, freePort } from '@cds/testing';
import { cdsError, json, startStrictApi, type Answer, type StrictApi } from '../test/strict-api';
import { TLS_CERTIFICATE, TLS_KEY } from '../test/tls.fixture';
import { CdsApiClient, isApiError, type ApiError, type CdsApiOptions } from './index';

let api: StrictApi;
let client: CdsApiClient;
const clients: CdsApiClient[] = [];

function connect(options: Partial<CdsApiOptions> = {}): CdsApiClient {
  const made = new CdsApiClient({
    url: api.url,
    insecure: false,
    requestTimeoutSeconds: 60,
    ...options,
  });
  clients.push(made);
  return made;
}

beforeEach(async () => {
  api = await startStrictApi();
  client = connect();
});
afterEach(async () => {
  clients.splice(0).forEach((each) => each.close());
  await api.close();
});

const registration = () => ({
  name: 'cds-hooks',
  type: 'hooks' as const,
  http_url: 'http://localhost:8083',
  token: api.token,
  monitoring_status: { now: '2026-11-22T10:32:32Z', lines: [] },
  config: { name: 'cds-hooks' },
  version: '1.2.3',
});
const event = {
  payload: { 'git.branch': 'master' },
  uuid: 'u',
  parent_workflow: NO_PARENT_WORKFLOW,
};
const run = (workflow = 'wf1', from = client) =>
  from.runWorkflow({ project: 'PROJ', workflow, event });

async function listHooks(signal?: AbortSignal): Promise<NodeHook[]> {
  const all: NodeHook[] = [];
  for await (const some of client.workflowHooks(signal)) all.push(...some);
  return all;
}

async function failure(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isApiError(error)) throw new Error(`expected an ApiError, got ${String(error)}`);
  return error;
}

/** The hash with which the client calls now. */
async function sentHash(): Promise<string | undefined> {
  await listHooks().catch(() => undefined);
  const header = api.requests.at(-1)?.headers.x_auth_header;
  return header === undefined ? undefined : Buffer.from(header, 'base64').toString();
}

describe('CdsApiClient', () => {
  it('registers with every field of CDS, and keeps the hash', async () => {
    expect(await sentHash()).toBeUndefined();
    const answer = await client.register(registration());
    expect(answer).toMatchObject({ hash: api.hash, up_to_date: true });
    expect(await sentHash()).toBe(api.hash);
    expect(api.requests[1]?.body).toEqual({
      id: 0,
      name: 'cds-hooks',
      type: 'hooks',
      http_url: 'http://localhost:8083',
      last_heartbeat: '0001-01-01T00:00:00Z',
      hash: '',
      token: api.token,
      group_id: null,
      group: null,
      monitoring_status: { now: '2026-11-22T10:32:32Z', lines: [] },
      config: { name: 'cds-hooks' },
      is_shared_infra: false,
      version: '1.2.3',
      up_to_date: false,
    });
    await client.register(registration());
    expect(api.requests[1]?.headers).not.toHaveProperty('x_auth_header');
  });

  it('lists hooks, forgiving what it does not need', async () => {
    await client.register(registration());
    expect(await listHooks()).toEqual([
      {
        id: 1,
        uuid: 'a64f7a38-1ffb-460e-b058-89f4e5b03359',
        ref: '1795343649',
        node_id: 1,
        hook_model_id: 2,
        hook_model_name: 'RepositoryWebHook',
        config: {
          project: {
            value: 'PROJ',
            configurable: false,
            type: 'string',
            multiple_choice_list: null,
          },
          method: { value: 'POST', configurable: false, type: '', multiple_choice_list: null },
          odd: { value: '', configurable: false, type: '', multiple_choice_list: null },
        },
      },
      {
        id: 0,
        uuid: 'only-a-uuid',
        ref: '',
        node_id: 0,
        hook_model_id: 0,
        hook_model_name: '',
        config: {},
      },
    ]);
    api.override = (_req, res) => json(res, 200, null);
    expect(await listHooks()).toEqual([]);
  });

  it('asks for the run of an outgoing hook, for its secrets, and tells what came of it', async () => {
    await client.register(registration());
    const ref = { project: 'PROJ', workflow: 'w f', number: 2, hookRun: 'u-1' };
    const parameters = [{ id: 0, name: 'a', type: 'string', value: '1' }, { name: 'no value' }];
    const hook = { uuid: 'u-1', outgoinghook: {}, build_parameters: parameters };
    const nodes = { '1': null, '2': [null, { uuid: 'u-1' }, { ...hook, uuid: 'u-2' }, hook] };

    api.override = (_req, res) => json(res, 200, { status: 'Building', nodes });
    expect(await client.workflowRun(ref)).toMatchObject({
      status: 'Building',
      hookRun: { build_parameters: [{ name: 'a', type: 'string', value: '1' }] },
    });
    expect(await client.workflowRun({ ...ref, hookRun: 'other' })).toEqual({
      status: 'Building',
      hookRun: undefined,
    });
    api.override = (_req, res) => json(res, 200, { uuid: 'u-1', outgoinghook: {} });
    expect(await client.outgoingHookDetails(ref)).toEqual([]);
    const callback = {
      workflow_node_outgoing_hook_id: 3,
      start: '2026-11-22T10:47:35.560Z',
      done: '2026-11-22T10:47:36Z',
      status: 'Success' as const,
      log: 'all of it',
      workflow_run_number: null,
    };
    api.override = (_req, res) => res.writeHead(204).end();
    await client.outgoingHookCallback(ref, callback);

    const path = '/project/PROJ/workflows/w%20f/runs/2';
    expect(api.requests.slice(1).map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${path}`,
      `GET ${path}`,
      `GET ${path}/hooks/u-1/details`,
      `POST ${path}/hooks/u-1/callback`,
    ]);
    expect(api.requests.at(-1)?.body).toEqual(callback);
  });

  it('asks how a node ended in its newest run, whatever else the run holds', async () => {
    await client.register(registration());
    const ref = { project: 'PROJ', workflow: 'w f', number: 2, node: 'build' };
    const node = (subnumber: unknown, status: unknown, name: unknown = 'build') => ({
      ...{ workflow_node_name: name, subnumber, status },
    });
    const nodes = {
      '1': [node(1, 'Success'), node(0, 'Fail'), null, 'x'],
      '2': [node(7, 'Fail', 'other'), node(9, 7), node('x', 'Stopped')],
      '3': 'no list',
    };
    api.override = (_req, res) => json(res, 200, { status: 'Success', nodes });
    expect(await client.nodeRun(ref)).toEqual({ subNumber: 1, status: 'Success' });
    expect(await client.nodeRun({ ...ref, node: 'none' })).toBeUndefined();
    api.override = (_req, res) => json(res, 200, { status: 'Success', nodes: null });
    expect(await client.nodeRun(ref)).toBeUndefined();
    expect(api.requests.at(-1)?.url).toBe('/project/PROJ/workflows/w%20f/runs/2');
    api.override = (_req, res) => json(res, 404, cdsError(90, 'no such run'));
    expect(await failure(client.nodeRun(ref))).toMatchObject({ kind: 'refused', status: 404 });
  });

  it('asks which VCS servers the API reaches', async () => {
    await client.register(registration());
    const server = { url: 'https://bitbucket.org', type: 'bitbucketcloud' };
    api.override = (_req, res) => json(res, 200, { bitbucketcloud: server });
    expect(await client.vcsServers()).toEqual(['bitbucketcloud']);
    // An API that knows no vcs service says so.
    for (const none of [{}, null]) {
      api.override = (_req, res) => json(res, 200, none);
      expect(await client.vcsServers()).toEqual([]);
    }
    expect(api.requests.at(-1)).toMatchObject({ method: 'GET', url: '/config/vcs' });
    api.override = (_req, res) => json(res, 500, cdsError(1, 'vcs is away'));
    expect((await failure(client.vcsServers())).kind).toBe('refused');
  });

  it('starts a run with the event under "hook"', async () => {
    await client.register(registration());
    expect(await run()).toMatchObject({ runNumber: 7 });
    expect(api.requests[1]).toMatchObject({
      method: 'POST',
      url: '/project/PROJ/workflows/wf1/runs',
      headers: { x_auth_header: 'YjdlOWNkNWYtNDQ1NC00NDFmLTg0YTItYTNhYmJlNDU3MDBm' },
      body: { hook: event },
    });
  });

  it('names the request that a run and a removal are for, by what can stand in a header', async () => {
    await client.register(registration());
    const of = { project: 'PROJ', workflow: 'wf1' };
    const requestId = '7b0c3e0e-5a3c-4a9b-9c55-0d6f5e0c1b2a';
    await client.runWorkflow({ ...of, event, requestId });
    await client.deleteBranchRuns({ ...of, branch: 'master', requestId });
    await client.runWorkflow({ ...of, event, requestId: 'a\r\nX_AUTH_HEADER: b' });
    await client.runWorkflow({ ...of, event });
    const sent = api.requests.map(({ headers }) => headers['request-id']);
    expect(sent).toEqual([undefined, requestId, requestId, undefined, undefined]);
  });

  describe('asks what happened in the repository of a hook', () => {
    const poll = () =>
      client.pollVcsEvents(
        { uuid: 'a64f7a38', workflowId: '3', vcsServer: 'my bitbucket' },
        1_795_343_649_123.7,
      );
    const answers = (body: string, headers: Record<string, string> = {}) => {
      api.override = (_req, res) => void res.writeHead(200, headers).end(body);
    };

    it('since then, in nanoseconds, and when to ask again', async () => {
      answers('{"push_events":null}', { 'X-CDS-Poll-Interval': '90' });
      expect(await poll()).toEqual({
        pushes: [],
        pullRequests: [],
        deletions: [],
        unreadable: 0,
        intervalSeconds: 90,
      });
      expect(api.requests.at(-1)).toMatchObject({
        method: 'GET',
        url: '/hook/a64f7a38/workflow/3/vcsevent/my%20bitbucket',
        headers: { 'x-cds-last-execution': '1795343649123000000', 'user-agent': 'CDS/service' },
      });
    });

    it.each([['-1'], ['1.5'], ['soon'], [''], ['99999999999']])(
      'at its own pace when the API says %p',
      async (interval) => {
        answers('{}', { 'X-CDS-Poll-Interval': interval });
        expect((await poll())?.intervalSeconds).toBeUndefined();
      },
    );

    it('of a server that cannot be polled: null is an answer, nothing is none', async () => {
      answers('null');
      expect(await poll()).toBeUndefined();
      for (const body of ['', '{"push_events":', '[]', '7', '"null"', '{"push_events":{}}']) {
        answers(body);
        expect((await failure(poll())).kind).toBe('unavailable');
      }
    });

    it('and takes no more than it can bear', async () => {
      const push = (id: string) => ({ branch: { id: 'b' }, commit: { id, message: 'M' } });
      const pushes = Array.from({ length: 5_010 }, () => push('a'.repeat(40)));
      const deep = `{"branch":{"id":"d"},"commit":{"id":"abcdef0","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
      answers(`{"push_events":[${pushes.map((one) => JSON.stringify(one)).join()}]}`);
      expect(await poll()).toMatchObject({ unreadable: 10 });
      answers(
        `{"push_events":[${deep}],"delete_events":[{"branch":{"id":"${'b'.repeat(2_000)}"}}]}`,
      );
      expect(await poll()).toMatchObject({
        pushes: [{ commit: { id: 'abcdef0' } }],
        deletions: [],
        unreadable: 1,
      });
    });
  });

  it('escapes the branch whose runs are removed', async () => {
    await client.register(registration());
    await client.deleteBranchRuns({ project: 'PROJ', workflow: 'wf1', branch: 'master' });
    const slash = { project: 'PROJ', workflow: 'wf1', branch: 'feat/b #1' };
    const error = await failure(client.deleteBranchRuns(slash));
    expect(error).toMatchObject({ kind: 'refused', status: 404, cdsId: 38 });
    expect(api.requests.at(-1)?.url).toBe(
      '/project/PROJ/workflows/wf1/runs/branch/feat%2Fb%20%231',
    );
    const upwards = { project: 'PROJ', workflow: '..', branch: 'master' };
    expect((await failure(client.deleteBranchRuns(upwards))).kind).toBe('refused');
    expect(api.requests).toHaveLength(3);
  });

  it('reads the version without being registered', async () => {
    expect(await client.version()).toEqual({ version: '0.41.0' });
  });

  it('keeps a prefix of the API URL', async () => {
    const prefixed = connect({ url: `${api.url}/cdsapi` });
    await failure(prefixed.version());
    expect(api.requests[0]?.url).toBe('/cdsapi/mon/version');
  });

  it('uses a connection again', async () => {
    const ports = new Set<number | undefined>();
    api.override = (req, res) => {
      ports.add(req.socket.remotePort);
      json(res, 200, []);
    };
    for (let i = 0; i < 3; i++) await listHooks();
    expect(ports.size).toBe(1);
  });
});

describe('what a failure means', () => {
  const html: Answer = (_req, res) => {
    res.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');
  };
  const refusals: [string, Answer, Partial<ApiError>, runTimeoutMs?: number][] = [
    [
      'a 404 of CDS',
      (_q, r) => json(r, 404, cdsError(92, 'no')),
      { kind: 'refused', status: 404, cdsId: 92 },
    ],
    [
      'a 500 of CDS',
      (_q, r) => json(r, 500, cdsError(1, 'oops')),
      { kind: 'refused', status: 500, cdsId: 1 },
    ],
    [
      'a 401 of CDS',
      (_q, r) => json(r, 401, cdsError(10, 'who')),
      { kind: 'unauthorized', status: 401, cdsId: 10 },
    ],
    [
      'a 503 of CDS in maintenance',
      (_q, r) => json(r, 503, cdsError(1, 'later')),
      { kind: 'unavailable', status: 503 },
    ],
    ['a 502 page', html, { kind: 'unavailable', status: 502 }],
    [
      'a 401 page',
      (_q, r) => void r.writeHead(401).end('who?'),
      { kind: 'unavailable', status: 401 },
    ],
    [
      'a 404 page',
      (_q, r) => void r.writeHead(404).end('404 page not found'),
      { kind: 'unavailable', status: 404 },
    ],
    ['another JSON', (_q, r) => json(r, 500, { error: 'x' }), { kind: 'unavailable', status: 500 }],
    ['an empty 504', (_q, r) => void r.writeHead(504).end(), { kind: 'unavailable', status: 504 }],
    [
      'a redirect',
      (_q, r) => void r.writeHead(302, { location: '/mon/version' }).end(),
      { kind: 'unavailable', status: 302 },
    ],
    [
      'a dropped socket',
      (q) => void q.socket.destroy(),
      { kind: 'unavailable', status: undefined },
    ],
    ['no answer in time', () => undefined, { kind: 'unavailable', status: undefined }, 300],
    [
      'half a refusal',
      (q, r) => {
        r.writeHead(404, { 'content-length': 100 });
        r.write('{"id":');
        setTimeout(() => q.socket.destroy(), 20);
      },
      { kind: 'unavailable', status: 404 },
    ],
    [
      'a refusal without an end',
      (_q, r) => void r.writeHead(400).write('{"id":'),
      { kind: 'unavailable', status: 400 },
      2_000,
    ],
  ];

  const patiently = refusals.map(([name, answer, expected, runTimeoutMs = 60_000]) => {
    return [name, answer, expected, runTimeoutMs] as const;
  });
  it.each(patiently)('%s', async (_name, answer, expected, runTimeoutMs) => {
    api.override = answer;
    const error = await failure(run('wf1', connect({ runTimeoutMs })));
    expect(error).toMatchObject(expected);
    expect(api.requests).toHaveLength(1);
  });

  it('nobody listens', async () => {
    const nobody = connect({ url: `http://127.0.0.1:${await freePort()}` });
    const error = await failure(nobody.version());
    expect(error).toMatchObject({ kind: 'unavailable', status: undefined, mayBeDone: false });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it.each<[boolean, string, string | Answer]>([
    [false, 'nobody listens at any of several addresses', 'http://localhost:'],
    [false, 'the name is unknown', 'http://nowhere.invalid:'],
    [false, 'the API says no', (_q, r) => json(r, 500, cdsError(1, 'oops'))],
    [false, 'the API is in maintenance', (_q, r) => json(r, 503, cdsError(1, 'later'))],
    [true, 'it dropped the connection', (q) => void q.socket.destroy()],
    [true, 'it did not answer in time', () => undefined],
    [true, 'a proxy answers', html],
    [true, 'a page comes in its place', (_q, r) => void r.writeHead(503).end('<html>')],
  ])('a removal may be done: %p, when %s', async (mayBeDone, when, of) => {
    const runTimeoutMs = when.includes('in time') ? 300 : 60_000;
    const options: Partial<CdsApiOptions> = { runTimeoutMs };
    if (typeof of === 'string') options.url = of + String(await freePort());
    else api.override = of;
    const removal = { project: 'PROJ', workflow: 'wf1', branch: 'dev' };
    const error = await failure(connect(options).deleteBranchRuns(removal));
    expect(error.mayBeDone).toBe(mayBeDone);
  });

  it('gives a run, and a removal of runs, its own time', async () => {
    client = connect({ requestTimeoutSeconds: 0.3 });
    api.override = (_req, res) => setTimeout(() => json(res, 202, { num: 3 }), 600);
    expect(await run()).toMatchObject({ runNumber: 3 });
    await client.deleteBranchRuns({ project: 'PROJ', workflow: 'wf1', branch: 'dev' });
    expect((await failure(listHooks())).message).toContain('no answer within 300 ms');
  });

  it.each<[string, Answer]>([
    ['is empty', (_q, r) => void r.writeHead(202).end()],
    ['is no JSON', (_q, r) => void r.writeHead(202).end('{"num":')],
    [
      'breaks off',
      (q, r) => {
        r.writeHead(202, { 'content-length': 100 }).write('{"num":');
        setTimeout(() => q.socket.destroy(), 20);
      },
    ],
    ['does not end', (_q, r) => void r.writeHead(202).write('{"num":')],
    [
      'is huge',
      (_q, r) => {
        r.writeHead(202).write('{"num":1,"x":"');
        const more = (): void => {
          while (!r.destroyed && r.write('x'.repeat(1024 * 1024)));
          if (!r.destroyed) r.once('drain', more);
        };
        more();
      },
    ],
  ])('a run is accepted by its 202, also when the body %s', async (_name, answer) => {
    api.override = answer;
    const patient = connect({ runTimeoutMs: 2_000 });
    expect(await run('wf1', patient)).toMatchObject({ runNumber: 0 });
  });

  it('but a web page is nobody’s yes: something answers in place of the API', async () => {
    api.override = (_req, res) =>
      void res.writeHead(200, { 'content-type': 'text/html' }).end('\n<!doctype html><p>Back soon');
    expect(await failure(run())).toMatchObject({ kind: 'unavailable', status: 200 });
    const removal = { project: 'PROJ', workflow: 'wf1', branch: 'dev' };
    expect((await failure(client.deleteBranchRuns(removal))).kind).toBe('unavailable');
  });

  it('but a list that cannot be read is not an empty list', async () => {
    api.override = (_req, res) => void res.writeHead(200).end('<html>Welcome</html>');
    expect((await failure(listHooks())).kind).toBe('unavailable');
    expect((await failure(client.register(registration()))).kind).toBe('unavailable');
    api.override = undefined;
    expect(await sentHash()).toBeUndefined();
  });

  it('lists more hooks than are read in one go, and none of a list that breaks off for all', async () => {
    const many = Array.from({ length: 250 }, (_, n) => ({ uuid: `hook-${n}` }));
    api.override = (_req, res) => json(res, 200, many);
    expect((await listHooks()).map(({ uuid }) => uuid)).toEqual(many.map(({ uuid }) => uuid));
    api.override = (_req, res) => void res.end(JSON.stringify(many).slice(0, -1));
    expect((await failure(listHooks())).kind).toBe('unavailable');
    api.override = (_req, res) => json(res, 200, Array(100_200).fill({}));
    expect((await failure(listHooks())).kind).toBe('unavailable');
  });

  it('stops when its caller stops, with the reason of the caller', async () => {
    api.override = () => undefined;
    const stop = new AbortController();
    const call = listHooks(stop.signal);
    setTimeout(() => stop.abort(new Error('shutting down')), 20);
    await expect(call).rejects.toThrow('shutting down');
  });

  it('is of a length that can be logged and kept', async () => {
    await client.register(registration());
    api.override = (_req, res) => json(res, 500, cdsError(1, 'x'.repeat(1_000_000)));
    expect((await failure(listHooks())).message.length).toBeLessThanOrEqual(2_000);
  });

  it('never holds the token or the hash', async () => {
    // The stand-in echoes the token that it refuses.
    const wrong = { ...registration(), token: 'a-wrong-token' };
    const error = await failure(client.register(wrong));
    expect(error).toMatchObject({ kind: 'unauthorized' });
    expect(error.message).toContain('not authenticated (from: ***)');

    await client.register(registration());
    const header = Buffer.from(api.hash).toString('base64');
    api.override = (req, res) =>
      json(res, 400, cdsError(74, `${api.hash} or ${String(req.headers['x_auth_header'])}`));
    const { message } = await failure(listHooks());
    expect(message).not.toContain(api.hash);
    expect(message).not.toContain(header.slice(0, -2));

    const quoted = { ...registration(), token: 'quo"ted\\token' };
    api.override = (_req, res) =>
      json(res, 400, cdsError(74, JSON.stringify(api.requests.at(-1)?.body)));
    expect((await failure(client.register(quoted))).message).toContain('"token":"***"');
    api.override = undefined;

    const nobody = connect({ url: `http://127.0.0.1:${await freePort()}` });
    const lost = await failure(nobody.register(registration()));
    const everything = JSON.stringify([lost, Object.getOwnPropertyDescriptors(lost), lost.cause]);
    expect(everything).not.toContain(api.token);
  });
});

describe('onSuccess', () => {
  it('tells that the API answers, also when it refuses, but not when it fails', async () => {
    let heard = 0;
    const end = client.onSuccess(() => heard++);
    await failure(run());
    expect(heard).toBe(1);
    await client.register(registration());
    await run();
    await failure(run('nosuch'));
    expect(heard).toBe(4);
    const silent: Answer[] = [
      (_q, r) => json(r, 500, cdsError(1, 'x')),
      (_q, r) => void r.writeHead(404).end('not found'),
      (q) => void q.socket.destroy(),
    ];
    for (const answer of silent) {
      api.override = answer;
      await failure(run());
    }
    expect(heard).toBe(4);
    api.override = undefined;
    end();
    await run();
    expect(heard).toBe(4);
  });
});

describe('TLS', () => {
  it('is verified unless "insecure" says otherwise', async () => {
    const server = createTlsServer({ key: TLS_KEY, cert: TLS_CERTIFICATE }, (_req, res) =>
      json(res, 200, { version: '0.41.0' }),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const error = await failure(connect({ url }).version());
      expect(error).toMatchObject({ kind: 'unavailable' });
      expect(error.message).toContain('self-signed certificate');
      expect(await connect({ url, insecure: true }).version()).toMatchObject({ version: '0.41.0' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describeShared('the recorded calls of hooks', (root) => {
  interface Exchange {
    request: { method: string; url: string; headers: Record<string, string>; body: unknown };
    response: { status: number; body: unknown };
  }
  const recorded = JSON.parse(
    readFileSync(join(root, 'contract', 'services-to-api.json'), 'utf8'),
  ) as Exchange[];
  const at = (index: number): Exchange => {
    const found = recorded[index];
    if (!found) throw new Error(`no recorded exchange ${index}`);
    return found;
  };

  it.each([
    [2, () => listHooks()],
    [5, () => listHooks()],
    [27, () => run('nosuch')],
    [30, () => client.deleteBranchRuns({ project: 'PROJ', workflow: 'wf1', branch: 'master' })],
    [7, () => client.deleteBranchRuns({ project: 'PROJ', workflow: 'wf1', branch: 'feat/b1' })],
  ])('%i is made the same way and its answer understood', async (index, call) => {
    await client.register(registration());
    const { request, response } = at(index);
    api.override = (_req, res) => json(res, response.status, response.body);
    const outcome = await call().catch((error: unknown) => error);
    const made = api.requests[1];
    expect(made).toMatchObject({ method: request.method, url: request.url });
    for (const [name, value] of Object.entries(request.headers)) {
      if (name !== 'accept') expect(made?.headers).toHaveProperty(name, value);
    }
    if (response.status < 300) expect(outcome).not.toBeInstanceOf(Error);
    else expect(outcome).toMatchObject({ kind: 'refused', status: response.status });
  });

  it('reads the number of every recorded run', async () => {
    await client.register(registration());
    const runs = recorded.filter(({ response }) => response.status === 202);
    expect(runs.length).toBeGreaterThan(3);
    for (const { request, response } of runs) {
      const [, , project = '', , workflow = ''] = request.url.split('/');
      const { hook } = request.body as { hook: typeof event };
      api.override = (_req, res) => json(res, 202, response.body);
      const { num } = response.body as { num: number };
      expect(await client.runWorkflow({ project, workflow, event: hook })).toEqual({
        runNumber: num,
        subNumber: 0,
      });
      expect(api.requests.at(-1)).toMatchObject({ url: request.url, body: request.body });
    }
  });

  it('passes the recorded hooks on whole', async () => {
    await client.register(registration());
    const { response } = at(5);
    api.override = (_req, res) => json(res, 200, response.body);
    expect(await listHooks()).toEqual(response.body);
  });
});
