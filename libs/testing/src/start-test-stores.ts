import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLS_CERTIFICATE, TLS_KEY } from './tls-certificate';

interface TestStore {
  /** `http://127.0.0.1:PORT`; over TLS only a proxy leads to its name, `secure.test`. */
  url: string;
  port: number;
  /** What was asked for: `GET /v1/secret/cds/conf`. */
  asked: string[];
  /** Calls that the real one would not take, and those with what it does not know. */
  violations: string[];
  /** The next answers, whatever is asked: a status each. */
  failures: number[];
  close(): Promise<void>;
}

/** Vault's KV engine at `secret/`, for one token. */
export interface TestVault extends TestStore {
  token: string;
  namespace: string | undefined;
  /** The fields of `secret/cds/conf`. */
  fields: Record<string, unknown> | undefined;
  /** Paths that the token's policy allows to read. */
  allowed: string[];
}

/** Consul's KV store, for one token; without one everybody may read. */
export interface TestConsul extends TestStore {
  token: string | undefined;
  entries: Map<string, string>;
}

/**
 * Plays the part of Vault that reads a secret. Its bad habits: version 2 of the KV engine answers
 * 404 with a warning to a path of version 1, a path outside the policy is 403 whether there is
 * something or not, and a wrong token cannot be told from a wrong policy.
 */
export async function startTestVault(o: { kv: 1 | 2; tls?: boolean }): Promise<TestVault> {
  const path = o.kv === 1 ? 'secret/cds/conf' : 'secret/data/cds/conf';
  const envelope = (data: object | null, warnings: string[] | null = null) => ({
    ...{
      request_id: 'f0b1',
      lease_id: '',
      renewable: false,
      lease_duration: o.kv === 1 ? 2764800 : 0,
    },
    ...{ data, wrap_info: null, warnings, auth: null, mount_type: 'kv' },
  });
  const metadata = {
    ...{ created_time: '2026-11-29T12:00:00.0Z', custom_metadata: null },
    ...{ deletion_time: '', destroyed: false, version: 1 },
  };
  const store: TestVault = Object.assign(
    await startStore('secret/', o.tls, ({ path: asked, header }) => {
      const isKnown = header('x-vault-token') === store.token;
      if (
        !isKnown ||
        header('x-vault-namespace') !== store.namespace ||
        !store.allowed.includes(asked)
      )
        return [403, { errors: ['1 error occurred:\n\t* permission denied\n\n'] }];
      if (asked === path && store.fields)
        return [200, envelope(o.kv === 1 ? store.fields : { data: store.fields, metadata })];
      if (o.kv === 1 || asked.startsWith('secret/data/')) return [404, { errors: [] }];
      return [404, envelope(null, ['Invalid path for a versioned K/V secrets engine.'])];
    }),
    { token: 'hvs.CAESITheTokenOfVault', namespace: undefined, fields: {}, allowed: [path] },
  );
  return store;
}

/** Plays the part of Consul that reads a key. Its errors are plain text. */
export async function startTestConsul(): Promise<TestConsul> {
  const store: TestConsul = Object.assign(
    await startStore('kv/', false, ({ path, header }) => {
      if (store.token !== undefined && header('x-consul-token') !== store.token)
        return [403, "Permission denied: anonymous token lacks permission 'key:read'"];
      const key = decodeURIComponent(path.slice('kv/'.length));
      const value = store.entries.get(key);
      if (value === undefined) return [404, ''];
      const base64 = value === '' ? null : Buffer.from(value).toString('base64');
      const index = { LockIndex: 0, Flags: 0, CreateIndex: 14, ModifyIndex: 14 };
      return [200, [{ ...index, Key: key, Value: base64 }]];
    }),
    { token: undefined, entries: new Map<string, string>() },
  );
  return store;
}

type Answer = (request: {
  path: string;
  header: (name: string) => string | undefined;
}) => [status: number, body: unknown];

/** @param below what every path below /v1/ begins with */
async function startStore(below: string, tls = false, answer: Answer): Promise<TestStore> {
  const [asked, violations, failures]: [string[], string[], number[]] = [[], [], []];
  const listener: RequestListener = (request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push(`${method} ${url}`);
    const path = url.replace(/^\/v1\//, '');
    if (method !== 'GET' || !url.startsWith(`/v1/${below}`) || path.includes('?'))
      violations.push(`${method} ${url}`);
    const failure = failures.shift();
    const [status, body] =
      failure === undefined
        ? answer({ path, header: (name) => headers[name]?.toString() })
        : [failure, { errors: ['Vault is sealed'] }];
    response.statusCode = status;
    if (status >= 300 && status < 400) response.setHeader('location', 'http://127.0.0.1:1/');
    const isText = typeof body === 'string';
    response.setHeader('content-type', isText ? 'text/plain' : 'application/json');
    response.end(isText ? body : JSON.stringify(body));
  };
  const server = tls
    ? createHttpsServer({ key: TLS_KEY, cert: TLS_CERTIFICATE }, listener)
    : createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ asked, violations, failures, port },
    url: tls ? `https://secure.test:${port}` : `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
