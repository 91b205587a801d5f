import { Router } from 'express';
import type { ServiceRegistration } from '@cds/wire';
import * as z from 'zod';
import type { Access, AccessDeps, Credentials } from '../access';
import { answerJson, ApiRefusal } from '../api-refusal';
import { jsonOf } from '../json-body';
import type { ServiceRegistry } from '../service-registry';

/** What the API's own decoder insists on: types, where a key is given. */
const registrationSchema = z.looseObject({
  name: z.string().min(1),
  type: z.enum(['vcs', 'hooks']),
  http_url: z.url({ protocol: /^https?$/ }),
  token: z.string(),
  id: z.int().optional(),
  last_heartbeat: z.iso.datetime().optional(),
  hash: z.string().optional(),
  group_id: z.int().nullish(),
  monitoring_status: z.looseObject({
    now: z.iso.datetime({ offset: true }),
    lines: z
      .array(
        z.looseObject({
          status: z.enum(['OK', 'WARN', 'AL']),
          component: z.string(),
          value: z.string(),
          type: z.string(),
        }),
      )
      .nullable(),
  }),
  config: z.record(z.string(), z.unknown()),
  is_shared_infra: z.boolean().optional(),
  version: z.string().optional(),
  up_to_date: z.boolean().optional(),
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/**
 * 0.40 to 0.43: a caller that registers with the shared.infra token gets a hash, one for each name,
 * which both sides show from then on. A registration is the heartbeat, too.
 */
export function createSharedInfraAccess(
  deps: AccessDeps & { registry: ServiceRegistry; token: () => string; newHash: () => string },
): Access {
  const { registry } = deps;

  function register(body: unknown): ServiceRegistration {
    const token = (body as { token?: unknown } | null)?.token;
    if (token !== deps.token()) throw new ApiRefusal('notAuthenticated', 'Cannot register service');
    const checked = registrationSchema.safeParse(body);
    if (!checked.success) throw new ApiRefusal('wrongRequest', z.prettifyError(checked.error));
    const asked = checked.data;
    const { name, type } = asked;
    const hash = registry.byKey(name)?.hash ?? deps.newHash();
    registry.upsert(name, { name, type, url: asked.http_url, hash });
    const registration = {
      ...asked,
      id: registry.byKey(name)?.id ?? 0,
      last_heartbeat: new Date().toISOString(),
      hash,
      token: '',
      group_id: 1,
      group: null,
      is_shared_infra: asked.is_shared_infra ?? false,
      version: asked.version ?? '',
      up_to_date: asked.version === deps.version(),
    } as ServiceRegistration;
    registry.describe(name, registration);
    return registration;
  }

  const entrance = Router({ strict: true, caseSensitive: true });
  entrance.post('/services/register', (request, response) => {
    requireServiceAgent(request);
    if (deps.inMaintenance()) throw new ApiRefusal('unavailable', 'the API is in maintenance');
    answerJson(response, 200, register(jsonOf(request)));
  });

  return {
    entrance,
    inside: Router(),
    identify(credentials) {
      requireServiceAgent(credentials);
      const header = String(credentials.headers['x_auth_header'] ?? '');
      const hash = Buffer.from(header, 'base64').toString('utf8');
      const service = registry.all().find((one) => hash !== '' && one.hash === hash);
      if (!service) throw new ApiRefusal('notAuthenticated');
      const rights = { isHooks: true, mayRead: false, mayWrite: false };
      return { service, ...rights, hasScope: () => true };
    },
    headersFor: ({ hash }) => ({
      'X-Requested-With': 'X-CDS-SDK',
      X_AUTH_HEADER: base64(hash),
    }),
    tokenOf: () => deps.token(),
    close: () => undefined,
  };
}

/** The API takes a caller for a service by this alone; others would need a user's session. */
function requireServiceAgent({ headers }: Pick<Credentials, 'headers'>): void {
  if (headers['user-agent'] !== 'CDS/service') throw new ApiRefusal('notAuthenticated');
}
