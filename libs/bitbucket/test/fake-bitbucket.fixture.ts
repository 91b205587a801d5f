import {
  type FakeReply,
  type FakeRequest,
  type FakeServer,
  startFakeServer,
} from './fake-server.fixture';

/** What stands behind a list, and its largest page. */
export interface FakeList {
  values: object[];
  maxPagelen?: number;
  /** Bitbucket tells the size of branches, pull requests and hooks, not that of tags. */
  tellsSize?: boolean;
}

export interface FakeBitbucket extends FakeServer {
  apiUrl: string;
  validTokens: Set<string>;
  /** Decoded path below /2.0, segments joined by `|`, since names hold `/` → value or list. */
  objects: Map<string, object>;
  lists: Map<string, FakeList>;
  /** `POST a|b|c` → the answer to a write. */
  writes: Map<string, (body: Record<string, unknown>, request: FakeRequest) => FakeReply>;
}

/**
 * Bearer tokens only, pages of 10 to 100 with an opaque `next` that repeats the query, no parameter
 * twice, `fields` with `next`, JSON bodies, errors in its envelope.
 */
export async function startFakeBitbucket(): Promise<FakeBitbucket> {
  const validTokens = new Set(['token-1']);
  const objects: FakeBitbucket['objects'] = new Map();
  const lists: FakeBitbucket['lists'] = new Map();
  const writes: FakeBitbucket['writes'] = new Map();
  const server = await startFakeServer((request) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (request.query.has('access_token')) return refuse(401, 'Token in the query.');
    if (token === undefined || !validTokens.has(token)) {
      return refuse(
        401,
        'Access token expired. Use your refresh token to obtain a new access token.',
      );
    }
    const key = pathKey(request.rawPath);
    if (key === undefined) return refuse(404, 'Not below /2.0');
    if (request.method === 'GET') return answerRead(key, request);
    return answerWrite(key, request);
  });

  function answerRead(key: string, request: FakeRequest): FakeReply {
    const list = lists.get(key);
    if (list) return answerPage(`${server.origin}${request.rawPath}`, list, request.query);
    const object = objects.get(key);
    return object ? { body: object } : refuse(404, 'Resource not found');
  }

  function answerWrite(key: string, request: FakeRequest): FakeReply {
    const write = writes.get(`${request.method} ${key}`);
    if (!write) return refuse(404, 'Resource not found');
    if (request.method === 'DELETE') return write({}, request);
    if (request.headers['content-type'] !== 'application/json') return refuse(400, 'No JSON');
    if (request.headers['content-length'] === undefined) return refuse(411, 'No length');
    return write(JSON.parse(request.body) as Record<string, unknown>, request);
  }

  return { ...server, apiUrl: `${server.origin}/2.0`, validTokens, objects, lists, writes };
}

export function refuse(status: number, message: string, more: object = {}): FakeReply {
  return { status, body: { type: 'error', error: { message, ...more } } };
}

function pathKey(rawPath: string): string | undefined {
  if (!rawPath.startsWith('/2.0/')) return undefined;
  return rawPath.slice('/2.0/'.length).split('/').map(decodeURIComponent).join('|');
}

function answerPage(url: string, list: FakeList, query: URLSearchParams): FakeReply {
  for (const name of ['pagelen', 'fields', 'page', 'q', 'sort', 'role']) {
    if (query.getAll(name).length > 1) return refuse(400, `Duplicate parameter: ${name}`);
  }
  const fields = query.get('fields');
  if (fields !== null && !fields.split(',').includes('next')) return refuse(400, 'No next');
  const pagelen = Number(query.get('pagelen') ?? 10);
  if (pagelen < 10 || pagelen > (list.maxPagelen ?? 100)) return refuse(400, 'Invalid pagelen');
  const from = query.has('page') ? fromCursor(query.get('page') ?? '') : 0;
  const values = list.values.slice(from, from + pagelen);
  const size = list.tellsSize ? { size: list.values.length } : {};
  if (from + pagelen >= list.values.length) return { body: { values, pagelen, ...size } };
  const next = new URLSearchParams(query);
  next.set('page', toCursor(from + pagelen));
  return { body: { values, pagelen, ...size, next: `${url}?${next.toString()}` } };
}

function toCursor(from: number): string {
  return Buffer.from(`from ${from}`).toString('base64url');
}

function fromCursor(page: string): number {
  return Number(Buffer.from(page, 'base64url').toString().replace('from ', ''));
}
