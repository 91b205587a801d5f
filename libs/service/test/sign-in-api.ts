import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface SeenCall {
  route: string;
  authorization: string | undefined;
  cookie: string | undefined;
  body: Record<string, unknown>;
}

export type SignInApi = Awaited<ReturnType<typeof startSignInApi>>;

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token in the form of a consumer's. */
export const CONSUMER_TOKEN = `${base64url({ alg: 'PS512' })}.${base64url({
  type: 'signinBuiltinConsumerToken',
  expire: 0,
  data: { consumer_id: 'c', iat: 1 },
})}.${'A'.repeat(40)}`;

/** Made once: it takes long. */
const FIRST_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 });

/**
 * The sign-in, registration and heartbeat of a CDS API 0.44 and later, with a key that can change.
 */
export async function startSignInApi(options: { version?: string } = {}) {
  const state = {
    version: options.version ?? '0.57.0',
    /** What it says of it, where that is something else. */
    reportedVersion: undefined as string | undefined,
    key: FIRST_KEY,
    /** Of the consumer. */
    token: CONSUMER_TOKEN,
    /** The consumer's; another name is refused. */
    name: undefined as string | undefined,
    /** Of every sign-in. */
    refusal: undefined as { status: number; from: string | undefined } | undefined,
    /** Whether the consumer has the scope of services. */
    hasScope: true,
    lifetimeSeconds: 3_600,
    isInMaintenance: false,
    /** As a proxy that does not pass `/mon` on. */
    hidesVersion: false,
    /** As a proxy that drops headers it does not know. */
    hidesKey: false,
    /** A row of the service: without it heartbeats are 403. */
    isRegistered: false,
    calls: [] as SeenCall[],
    jwt: '',
  };
  const isAtLeast = (minor: number) => Number(state.version.split('.')[1] ?? 99) >= minor;
  const refusal = (id: number, message: string, from?: string) => ({
    ...{ id, message, request_id: '0c8c1dbb-c9a8-4f41-9b0c-6a4c6a4c6a4c' },
    ...(from !== undefined && { from }),
  });

  function answer(call: SeenCall): [status: number, body: unknown, headers?: object] {
    if (call.route === 'GET /mon/version' && state.hidesVersion) return [403, 'not for you'];
    if (call.route === 'GET /mon/version')
      return [200, { version: state.reportedVersion ?? state.version }];
    if (call.cookie !== undefined) return [403, refusal(11, 'forbidden', 'XSRF')];
    if (call.route === 'POST /auth/consumer/builtin/signin') return signIn(call.body);
    if (call.authorization !== `Bearer ${state.jwt}` || !state.hasScope)
      return [401, refusal(10, 'not authenticated')];
    if (call.route === 'POST /services/register' && !isAtLeast(51)) {
      state.isRegistered = true;
      return [200, { ...call.body, id: 3, up_to_date: call.body.version === state.version }];
    }
    if (call.route === 'POST /services/heartbeat')
      return state.isRegistered ? [204, undefined] : [403, refusal(11, 'forbidden')];
    return [404, refusal(38, 'resource not found')];
  }

  function signIn(body: Record<string, unknown>): ReturnType<typeof answer> {
    const { token, service } = body as { token: string; service?: { name: string } };
    if (state.isInMaintenance) return [503, refusal(1, 'service unavailable')];
    if (state.refusal) return [state.refusal.status, refusal(11, 'forbidden', state.refusal.from)];
    if (token !== state.token) return [403, refusal(11, 'forbidden', 'invalid signin token')];
    if (service && !isAtLeast(51)) return [403, refusal(11, 'forbidden', 'cannot unmarshal')];
    if (service && state.name !== undefined && service.name !== state.name) {
      const from = `service name "${service.name}" doesn't match with consumer "${state.name}"`;
      return [403, refusal(11, 'forbidden', from)];
    }
    if (service) state.isRegistered = true;
    const iat = Math.floor(Date.now() / 1_000);
    const times = { iat, exp: iat + state.lifetimeSeconds, jti: String(state.calls.length) };
    state.jwt = `${base64url({ alg: 'RS512' })}.${base64url(times)}.${'A'.repeat(40)}`;
    const pem = state.key.publicKey.export({ type: 'pkcs1', format: 'pem' });
    return [
      200,
      { api_url: 'http://cds', token: state.jwt, user: {}, service },
      {
        ...(!state.hidesKey && { 'X-Api-Pub-Signing-Key': Buffer.from(pem).toString('base64') }),
        'Set-Cookie': `jwt_token=${state.jwt}`,
      },
    ];
  }

  const server = createServer((req, res) => {
    void readCall(req).then((call) => {
      state.calls.push(call);
      const [status, body, headers] = answer(call);
      res.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      res.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    routes: () => state.calls.map(({ route }) => route),
    rotateKey() {
      state.key = generateKeyPairSync('rsa', { modulusLength: 2048 });
    },
    /** A call of the API as its service gets it. */
    signed: (url = '/task', host = 'hooks:8083') => signedRequest(state.key.privateKey, url, host),
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

/** A GET as the API signs it: `date` is named and absent. */
export function signedRequest(key: KeyObject, url: string, host: string) {
  const [path = '', query] = url.split('?');
  const target = `${decodeURIComponent(path)}${query === undefined ? '' : `?${query}`}`;
  const text = `(request-target): get ${target}\nhost: ${host}`;
  const signature = sign('sha256', Buffer.from(text), key).toString('base64');
  const authorization = `Signature keyId="cds-api",algorithm="rsa-sha256",headers="(request-target) host date",signature="${signature}"`;
  return { method: 'GET', url, headers: { host, authorization } };
}

async function readCall(req: IncomingMessage): Promise<SeenCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return {
    route: `${req.method} ${req.url}`,
    authorization: req.headers.authorization,
    cookie: req.headers.cookie,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
