import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HookEvent } from '@cds/wire';
import type { ApiCall, CdsApiStandIn } from './cds-api';
import { performOutgoing } from './outgoing-api';

export const TOKEN = 'the-shared-infra-token';
const VERSION = '0.41.0';
/** As the API answers it while a `vcs` is registered. */
export const VCS = { bitbucketcloud: { url: 'https://bitbucket.org', type: 'bitbucketcloud' } };

function errorBody(id: number, message: string) {
  return { id, message, data: null, uuid: randomUUID() };
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(body === null && status === 204 ? undefined : JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const POLL = /^\/hook\/([^/]+)\/workflow\/\d+\/vcsevent\/[^/?]+$/;

/** What an API holds that nobody has called yet. */
function unused() {
  return {
    ...{ calls: [], registrations: [], violations: [], callbacks: [] },
    ...{ hooks: [], vcs: VCS, vcsLooks: 0 },
    ...{ integrations: new Map(), recorded: new Map() },
    ...{ repositories: new Map(), hookRuns: new Map() },
    behave: () => 'ok' as const,
    slashKnown: true,
  };
}

/**
 * A CDS API as far as `hooks` sees it, as strict about headers, hash and bodies as the real one,
 * and as frail.
 */
export async function startCdsApi(): Promise<CdsApiStandIn> {
  let hash = randomUUID() as string;
  let runNumber = 0;
  let server: Server | undefined;
  let port = 0;
  const sockets = new Set<Socket>();

  function checkHeaders(request: IncomingMessage): void {
    const { headers, method, url } = request;
    const wrong = (what: string) => api.violations.push(`${method} ${url}: ${what}`);
    if (headers['user-agent'] !== 'CDS/service') wrong(`User-Agent ${headers['user-agent']}`);
    if (headers['x-requested-with'] !== 'X-CDS-SDK') wrong('no X-Requested-With: X-CDS-SDK');
    if (headers['content-type'] !== 'application/json') {
      wrong(`Content-Type ${headers['content-type']}`);
    }
  }

  function register(text: string, response: ServerResponse): void {
    const body = JSON.parse(text) as Record<string, unknown>;
    if (body.token !== TOKEN) {
      answer(response, 401, errorBody(10, 'not authenticated (from: Cannot register service)'));
      return;
    }
    for (const field of ['name', 'type', 'http_url', 'monitoring_status', 'config', 'version']) {
      if (body[field] === undefined) api.violations.push(`registration without ${field}`);
    }
    api.registrations.push(body);
    const upToDate = body.version === VERSION;
    answer(response, 200, { ...body, id: 3, hash, token: '', up_to_date: upToDate });
  }

  interface Performed {
    status: number;
    body: unknown;
    headers?: Record<string, string>;
  }

  function poll(call: ApiCall, uuid: string): Performed {
    if (!/^\d{13}000000$/.test(call.lastExecution ?? ''))
      api.violations.push(`${call.url}: X-CDS-Last-Execution ${call.lastExecution}`);
    const repository = api.repositories.get(uuid);
    if (!repository) return { status: 404, body: errorBody(38, 'resource not found') };
    const { events, interval } = repository;
    return {
      status: 200,
      body: events,
      ...(interval === undefined ? {} : { headers: { 'X-CDS-Poll-Interval': interval } }),
    };
  }

  function perform(call: ApiCall): Performed {
    if (call.method === 'GET' && call.url === '/workflow/hook') {
      return { status: 200, body: api.hooks };
    }
    if (call.method === 'POST' && /^\/project\/[^/]+\/workflows\/[^/]+\/runs$/.test(call.url)) {
      const { hook } = call.body as { hook?: HookEvent };
      if (!hook?.uuid || typeof hook.payload !== 'object' || !hook.parent_workflow) {
        api.violations.push(`${call.url}: no hook in the body`);
        return { status: 400, body: errorBody(74, 'wrong request') };
      }
      runNumber++;
      return { status: 202, body: { id: runNumber, num: runNumber, status: 'Pending' } };
    }
    const polled = POLL.exec(call.url);
    if (call.method === 'GET' && polled) return poll(call, polled[1] ?? '');
    const integration = /^\/project\/([^/]+)\/integrations\/([^/?]+)\?clearPassword=true$/.exec(
      call.url,
    );
    if (call.method === 'GET' && integration) {
      const [, project = '', name = ''] = integration;
      const config = api.integrations.get(`${project}/${decodeURIComponent(name)}`);
      return config
        ? { status: 200, body: { id: 1, project_id: 1, name, config } }
        : { status: 404, body: errorBody(38, 'resource not found') };
    }
    if (call.method === 'GET' && api.recorded.has(call.url)) {
      return { status: 200, body: api.recorded.get(call.url) };
    }
    const outgoing = performOutgoing(api, call, (what) => api.violations.push(what));
    if (outgoing) return outgoing;
    const deletion = /^\/project\/[^/]+\/workflows\/[^/]+\/runs\/branch\/([^/]+)$/.exec(call.url);
    if (call.method === 'DELETE' && deletion) {
      if (!api.slashKnown && /%2f/i.test(deletion[1] ?? '')) {
        return { status: 404, body: errorBody(38, 'resource not found') };
      }
      return { status: 200, body: null };
    }
    api.violations.push(`${call.method} ${call.url}: no such route`);
    return { status: 404, body: errorBody(38, 'resource not found') };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    checkHeaders(request);
    const text = await read(request);
    const isRegistration = request.url === '/services/register';
    const call: ApiCall = {
      method: request.method ?? '',
      url: request.url ?? '',
      body: text === '' ? null : JSON.parse(text),
      requestId: request.headers['request-id']?.toString(),
      lastExecution: request.headers['x-cds-last-execution']?.toString(),
      at: Date.now(),
    };
    const behaviour = api.behave(call);
    if (behaviour === 'drop') {
      request.socket.destroy();
      return;
    }
    if (typeof behaviour === 'object') {
      if ('html' in behaviour) {
        response.writeHead(behaviour.html, { 'Content-Type': 'text/html' });
        response.end('<html><h1>Bad Gateway</h1></html>');
        return;
      }
      if ('refuse' in behaviour) {
        const { refuse, id = 1, message = 'internal server error' } = behaviour;
        answer(response, refuse, errorBody(id, message));
        return;
      }
      if ('dropThenDoMs' in behaviour) request.socket.destroy();
      if ('after' in behaviour) await behaviour.after;
      else {
        const ms = 'dropThenDoMs' in behaviour ? behaviour.dropThenDoMs : behaviour.delayMs;
        // Nobody has to wait for an answer that is of no use any more.
        await sleep(ms, undefined, { ref: false });
      }
    }
    if (isRegistration) {
      register(text, response);
      return;
    }
    // Open to everybody.
    if (call.method === 'GET' && call.url === '/mon/version') {
      answer(response, 200, { version: VERSION });
      return;
    }
    const expected = Buffer.from(hash).toString('base64');
    if (behaviour === 'unauthorized' || request.headers.x_auth_header !== expected) {
      answer(response, 401, errorBody(10, 'not authenticated'));
      return;
    }
    if (call.method === 'GET' && call.url === '/config/vcs') {
      api.vcsLooks++;
      if (api.vcs === 'away') answer(response, 500, errorBody(1, 'internal server error'));
      else if (api.vcs === 'refuses') answer(response, 401, errorBody(10, 'not authenticated'));
      else answer(response, 200, api.vcs);
      return;
    }
    const { status, body, headers } = perform(call);
    api.calls.push(call);
    if (behaviour === 'do and drop') request.socket.destroy();
    else answer(response, status, body, headers);
  }

  async function listen(): Promise<void> {
    const created = createServer((request, response) => void serve(request, response));
    created.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      created.once('error', reject);
      created.listen(port, '127.0.0.1', resolve);
    });
    server = created;
    port = (created.address() as AddressInfo).port;
  }

  const api: CdsApiStandIn = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    ...unused(),
    runs() {
      return api.calls.flatMap((call) => {
        const match = /^\/project\/([^/]+)\/workflows\/([^/]+)\/runs$/.exec(call.url);
        if (!match || call.method !== 'POST') return [];
        const { hook } = call.body as { hook: HookEvent };
        return [{ project: match[1] ?? '', workflow: match[2] ?? '', hook, at: call.at }];
      });
    },
    polls(uuid) {
      return api.calls.flatMap(({ url, lastExecution, at }) =>
        POLL.exec(url)?.[1] === uuid ? [{ since: Number(lastExecution?.slice(0, -6)), at }] : [],
      );
    },
    deletions() {
      return api.calls.flatMap((call) => (call.method === 'DELETE' ? [call.url] : []));
    },
    async reset() {
      await api.start();
      runNumber = 0;
      Object.assign(api, unused());
    },
    hash: () => hash,
    forgetHash() {
      hash = randomUUID();
    },
    async stop() {
      const closing = server;
      if (!closing) return;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => closing.close(resolve));
    },
    async start() {
      if (!server) await listen();
    },
  };
  await listen();
  return api;
}
