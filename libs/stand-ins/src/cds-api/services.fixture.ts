import express from 'express';
import { listenOn, type Listener } from '../http/listener';
import { sendRequest, type IncomingAnswer } from '../http/send-request';
import type { CdsApiStandIn } from './index';

export interface SeenRequest {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}

/** A service that answers what a test tells it to, and remembers what it was asked. */
export interface ScriptedService {
  url: string;
  seen: SeenRequest[];
  /** The answer to `METHOD /path` (without the query); everything else is answered 204. */
  answers: Record<
    string,
    (request: SeenRequest) => { status?: number; body?: unknown; headers?: Record<string, string> }
  >;
  close(): Promise<void>;
}

export async function scriptedService(): Promise<ScriptedService> {
  const app = express();
  const service: Omit<ScriptedService, 'url' | 'close'> = { seen: [], answers: {} };
  app.use(express.json({ strict: false, type: () => true, limit: '10mb' }), (request, response) => {
    const seen: SeenRequest = {
      method: request.method,
      url: request.originalUrl,
      headers: request.headers,
      body: request.body as unknown,
    };
    service.seen.push(seen);
    const path = request.originalUrl.split('?')[0] ?? '';
    const { status, body, headers } = service.answers[`${request.method} ${path}`]?.(seen) ?? {};
    response.status(status ?? (body === undefined ? 204 : 200)).set(headers ?? {});
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const listener: Listener = await listenOn(app, { host: '127.0.0.1', port: 0 });
  return Object.assign(service, { url: listener.url, close: () => listener.close() });
}

/** A registration as the services send it. */
export function registration(
  name: string,
  type: 'vcs' | 'hooks',
  url: string,
): Record<string, unknown> {
  return {
    id: 0,
    name,
    type,
    http_url: url,
    last_heartbeat: '0001-01-01T00:00:00Z',
    hash: '',
    token: 'sandbox-shared-infra-token',
    group_id: null,
    group: null,
    monitoring_status: {
      now: new Date().toISOString(),
      lines: [{ status: 'OK', component: 'Version', value: '0.41.0', type: '' }],
    },
    config: { name },
    is_shared_infra: false,
    version: '0.41.0',
    up_to_date: false,
  };
}

/** Calls the API as a service does. */
export async function callApi(
  api: CdsApiStandIn,
  method: string,
  path: string,
  {
    body,
    hash,
    agent = 'CDS/service',
    headers = {},
  }: { body?: unknown; hash?: string; agent?: string; headers?: Record<string, string> } = {},
): Promise<IncomingAnswer & { json: Record<string, unknown> }> {
  const answer = await sendRequest({
    method,
    url: `${api.url}${path}`,
    headers: {
      'User-Agent': agent,
      'Content-Type': 'application/json',
      ...(hash === undefined ? {} : { X_AUTH_HEADER: Buffer.from(hash).toString('base64') }),
      ...headers,
    },
    timeoutMs: 5_000,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const json =
    answer.headers['content-type'] === 'application/json' && answer.text !== ''
      ? (JSON.parse(answer.text) as Record<string, unknown>)
      : {};
  return { ...answer, json };
}
