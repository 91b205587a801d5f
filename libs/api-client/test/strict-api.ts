import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
}

export type Answer = (req: IncomingMessage, res: ServerResponse) => void;

export interface StrictApi {
  url: string;
  port: number;
  hash: string;
  token: string;
  requests: SeenRequest[];
  /** Answers the next requests instead of the API, until it is undefined again. */
  override: Answer | undefined;
  close(): Promise<void>;
}

/** What a CDS API sends when it refuses. */
export function cdsError(id: number, message: string) {
  return { id, message, data: null, uuid: '403c3db8-e663-11f1-82ce-b65d28aa85c2' };
}

/**
 * A stand-in of the CDS API that checks the caller's name, the hash that it gave out and the token.
 */
export async function startStrictApi(port = 0): Promise<StrictApi> {
  const api: Omit<StrictApi, 'url' | 'port' | 'close'> = {
    hash: 'b7e9cd5f-4454-441f-84a2-a3abbe45700f',
    token: 'the-token-of-shared-infra',
    requests: [],
    override: undefined,
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const seen: SeenRequest = {
        method: req.method ?? '',
        url: req.url ?? '',
        headers: req.headers as Record<string, string>,
        body: text === '' ? undefined : JSON.parse(text),
      };
      api.requests.push(seen);
      if (api.override) api.override(req, res);
      else answer(api, seen, res);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return Object.assign(api, {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

export function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

function answer(
  api: { hash: string; token: string },
  { method, url, headers, body }: SeenRequest,
  res: ServerResponse,
): void {
  const route = `${method} ${url}`;
  const wrongHeaders =
    headers['user-agent'] !== 'CDS/service' ||
    headers['x-requested-with'] !== 'X-CDS-SDK' ||
    headers['content-type'] !== 'application/json';
  if (wrongHeaders) return json(res, 401, cdsError(10, 'not authenticated'));
  if (route === 'GET /mon/version') {
    return json(res, 200, { version: '0.41.0', architecture: 'amd64', os: 'linux' });
  }
  if (route === 'POST /services/register') {
    const registration = body as { token: string };
    if (registration.token !== api.token) {
      return json(res, 401, cdsError(10, `not authenticated (from: ${registration.token})`));
    }
    return json(res, 200, {
      ...registration,
      id: 3,
      hash: api.hash,
      token: '',
      group_id: 1,
      up_to_date: true,
    });
  }
  const given = Buffer.from(headers['x_auth_header'] ?? '', 'base64').toString();
  if (given !== api.hash) return json(res, 401, cdsError(10, 'not authenticated'));
  if (route === 'GET /workflow/hook') return json(res, 200, hooks);
  if (route === 'POST /project/PROJ/workflows/wf1/runs') {
    return json(res, 202, { id: 1, num: 7, status: 'Pending', workflow: { name: 'wf1' } });
  }
  if (route === 'POST /project/PROJ/workflows/nosuch/runs') {
    return json(res, 404, cdsError(92, 'Workflow not found'));
  }
  if (route === 'DELETE /project/PROJ/workflows/wf1/runs/branch/master') {
    return json(res, 200, null);
  }
  return json(res, 404, cdsError(38, 'resource not found'));
}

const hooks = [
  {
    id: 1,
    uuid: 'a64f7a38-1ffb-460e-b058-89f4e5b03359',
    ref: '1795343649',
    node_id: 1,
    hook_model_id: 2,
    hook_model_name: 'RepositoryWebHook',
    config: {
      project: { value: 'PROJ', configurable: false, type: 'string', multiple_choice_list: null },
      method: { value: 'POST' },
      odd: { value: null, configurable: 'yes' },
    },
    something_new: true,
  },
  { uuid: 'only-a-uuid' },
  { id: 4 },
];
