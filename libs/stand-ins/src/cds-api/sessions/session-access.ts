import { Router, type Request, type Response } from 'express';
import * as z from 'zod';
import type { Access, AccessDeps, Caller, Credentials } from '../access';
import { answerJson, ApiRefusal } from '../api-refusal';
import { checkedJsonOf } from '../json-body';
import type { RegisteredService, Scope } from '../model';
import type { ServiceRegistry } from '../service-registry';
import { createConsumers, type Consumer } from './consumers';
import { signatureHeader, signingString } from './http-signature';
import { createSessionStore } from './sessions';
import { createSigningKeys } from './signing-keys';

/** How a consumer becomes a service: by its sign-in, or by a registration afterwards. */
export type ServiceEntrance = (core: SessionCore) => Pick<Access, 'entrance' | 'inside'>;

/** What every CDS that signs services in does alike. */
export interface SessionCore extends AccessDeps {
  consumerOf(token: string): Consumer;
  /** Inserts or updates the one row that a consumer has. @throws ApiRefusal 400, 403 */
  register(consumer: Consumer, service: ServiceBody): RegisteredService;
  /** Opens a session and answers with its JWT, its cookie and the API's key. */
  answerSignIn(response: Response, consumer: Consumer, more?: Record<string, unknown>): void;
  /** Who calls. @throws ApiRefusal 401 */
  consumerCalling(credentials: Credentials, scope: Scope): Consumer;
}

/** A service, as it describes itself. */
export const serviceBodySchema = z.looseObject({
  name: z.string(),
  type: z.string(),
  http_url: z.string(),
  config: z.record(z.string(), z.unknown()).nullish(),
  version: z.string().optional(),
});
export type ServiceBody = z.infer<typeof serviceBodySchema>;

const monitoringSchema = z.looseObject({
  now: z.iso.datetime({ offset: true }),
  lines: z.array(
    z.looseObject({
      status: z.enum(['OK', 'WARN', 'AL']),
      component: z.string(),
      value: z.string(),
      type: z.string(),
      service: z.string().optional(),
      hostname: z.string().optional(),
    }),
  ),
});

const SCOPES: Record<RegisteredService['type'], readonly Scope[]> = {
  vcs: ['Service'],
  hooks: ['Service', 'Project', 'Run', 'Hooks'],
};

const bodyTypeSchema = z.enum(['vcs', 'hooks']);

/**
 * 0.44 and later: consumers sign in for a JWT, and know the API by the signature of its calls.
 *
 * @param namesAreFixed a consumer that CDS made for a service has a name that may not be changed
 */
export function createSessionAccess(
  deps: AccessDeps & { registry: ServiceRegistry },
  entranceOf: ServiceEntrance,
  { namesAreFixed }: { namesAreFixed: boolean },
): Access {
  const { registry } = deps;
  const keys = createSigningKeys();
  const consumers = createConsumers(keys);
  const sessions = createSessionStore(keys);
  const tokens = new Map<string, string>();
  let signed = 0;

  function sessionOf({ method, headers }: Credentials): { id: string; consumer: Consumer } {
    const cookie = /(?:^|;\s*)jwt_token=([^;]+)/.exec(headers.cookie ?? '')?.[1];
    if (cookie !== undefined) {
      deps.onViolation('a service sent the cookie jwt_token back');
      // A cookie brings the checks against cross-site requests, which a service cannot pass.
      if (method !== 'GET') throw new ApiRefusal('forbidden');
    }
    if (headers['x_auth_header'] !== undefined)
      deps.onViolation('a service showed X_AUTH_HEADER to an API that knows no hashes');
    const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    const session = sessions.find(cookie ?? bearer ?? '');
    const consumer = session && consumers.byId(session.consumer);
    if (!consumer) throw new ApiRefusal('notAuthenticated');
    return { id: session.id, consumer };
  }

  function identify(credentials: Credentials): Caller {
    const { consumer } = sessionOf(credentials);
    const service = registry.byKey(consumer.id);
    const mayWrite = consumer.isAdmin || consumer.isOfGroup;
    return {
      service,
      isHooks: service?.type === 'hooks',
      mayRead: service?.type === 'hooks' || mayWrite,
      mayWrite,
      hasScope: (scope) => consumer.scopes.includes(scope),
    };
  }

  const core: SessionCore = {
    ...deps,
    consumerOf: (token) => consumers.byToken(token),
    register(consumer, service) {
      if (service.name === '') throw new ApiRefusal('wrongRequest', 'missing service name');
      if (!consumer.isAdmin) throw new ApiRefusal('forbidden');
      const before = registry.byKey(consumer.id);
      const type = bodyTypeSchema.safeParse(service.type);
      if (!type.success || (before && before.type !== type.data)) throw new ApiRefusal('forbidden');
      // Names are unique, over all consumers.
      if (registry.all().some(({ key, name }) => name === service.name && key !== consumer.id))
        throw new ApiRefusal(
          'conflict',
          'pq: duplicate key value violates unique constraint "idx_service_name"',
        );
      if (JSON.stringify(service).includes(consumer.token))
        deps.onViolation(`${service.name} described itself with its token`);
      const { name, http_url: url } = service;
      registry.upsert(consumer.id, { name, type: type.data, url, hash: '' });
      const row = registry.byKey(consumer.id) as RegisteredService;
      registry.describe(consumer.id, { name, type: type.data, config: service.config ?? {} });
      return row;
    },
    answerSignIn(response, consumer, more = {}) {
      const { jwt, expiresAt } = sessions.open(consumer.id);
      response.append(
        'Set-Cookie',
        `jwt_token=${jwt}; Path=/; Domain=127.0.0.1; Expires=${expiresAt.toUTCString()}; HttpOnly; Secure; SameSite=Strict`,
      );
      response.set('X-Api-Pub-Signing-Key', Buffer.from(keys.publicKey()).toString('base64'));
      answerJson(response, 200, { api_url: deps.apiUrl(), token: jwt, user: OWNER, ...more });
    },
    consumerCalling(credentials, scope) {
      const { consumer } = sessionOf(credentials);
      if (!consumer.scopes.includes(scope)) throw new ApiRefusal('notAuthenticated');
      return consumer;
    },
  };

  const { entrance, inside: routes } = entranceOf(core);
  const inside = Router({ strict: true, caseSensitive: true });
  inside.use(routes);
  inside.post('/services/heartbeat', (request, response) => {
    const consumer = core.consumerCalling(request, 'Service');
    if (!registry.byKey(consumer.id)) throw new ApiRefusal('forbidden');
    checkedJsonOf(request, monitoringSchema);
    registry.heartbeat(consumer.id);
    answerJson(response, 204, null);
  });
  inside.post('/auth/consumer/signout', (request: Request, response: Response) => {
    const { id, consumer } = sessionOf(request);
    sessions.end(id);
    registry.remove(consumer.id);
    answerJson(response, 200, null);
  });

  return {
    entrance,
    inside,
    identify,
    headersFor({ url }, { method, path, requestId }) {
      const host = new URL(url).host;
      const signature = keys.signText(signingString({ method, path, host }));
      signed += 1;
      const authorization = signatureHeader('cds-api', signature, signed);
      return { Host: host, Authorization: authorization, 'Request-Id': requestId };
    },
    tokenOf(type, name) {
      const key = `${type} ${name}`;
      const service = namesAreFixed ? { name, type } : undefined;
      const token =
        tokens.get(key) ?? consumers.create({ name, scopes: SCOPES[type], service }).token;
      tokens.set(key, token);
      return token;
    },
    close: keys.close,
    sessions: {
      createConsumer(options) {
        const { id, name, token } = consumers.create(options);
        return { id, name, token };
      },
      deleteConsumer: consumers.remove,
      passTime: sessions.passTime,
      setSeconds: sessions.setSeconds,
      rotateKey: keys.rotate,
      publicKey: keys.publicKey,
    },
  };
}

/** Who made the consumers. */
const OWNER = {
  ...{ id: '2e3f88a6-5a71-41ae-bfdf-5a7e9ad4884e', created: '2026-01-01T00:00:00Z' },
  ...{ username: 'admin', fullname: 'Admin', ring: 'ADMIN', groups: null },
};
