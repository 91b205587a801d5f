import type { ServiceRegistration } from '@cds/wire';
import { z } from 'zod';
import { ApiRefusal } from './api-refusal';
import type { RegisteredService } from './model';

/** A service that was silent for so long is forgotten, and with it its hash. */
const FORGOTTEN_AFTER_MS = 180_000;

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

export interface ServiceRegistry {
  /** Registers, or takes a heartbeat. @throws ApiRefusal 401, 400 */
  register(body: unknown): ServiceRegistration;
  /** The service that a hash belongs to. */
  byHash(hash: string): RegisteredService | undefined;
  /** All services of a type, in the order of their first registration. */
  ofType(type: RegisteredService['type']): RegisteredService[];
  all(): RegisteredService[];
  /**
   * The rows are gone, of all services or of one type: their hashes are unknown, the next
   * registration gets a new one.
   */
  forget(type?: RegisteredService['type']): void;
}

export function createServiceRegistry(options: {
  token: () => string;
  version: () => string;
  /** What a service that is not known gets. */
  newHash: () => string;
  /** How long a service may be silent (ms); 180,000 as the API has it when not given. */
  forgottenAfterMs?: number | undefined;
}): ServiceRegistry {
  const { forgottenAfterMs = FORGOTTEN_AFTER_MS } = options;
  const services = new Map<string, RegisteredService>();
  let lastId = 0;

  function known(): RegisteredService[] {
    for (const [name, { lastHeartbeat }] of services)
      if (Date.now() - lastHeartbeat > forgottenAfterMs) services.delete(name);
    return [...services.values()];
  }

  return {
    register(body) {
      const token = (body as { token?: unknown } | null)?.token;
      if (token !== options.token())
        throw new ApiRefusal('notAuthenticated', 'Cannot register service');
      const checked = registrationSchema.safeParse(body);
      if (!checked.success) throw new ApiRefusal('wrongRequest', z.prettifyError(checked.error));
      const asked = checked.data;
      const before = known().find(({ name }) => name === asked.name);
      if (!before) lastId += 1;
      const now = Date.now();
      const registration = {
        ...asked,
        id: before?.registration.id ?? lastId,
        last_heartbeat: new Date(now).toISOString(),
        hash: before?.hash ?? options.newHash(),
        token: '',
        group_id: 1,
        group: null,
        is_shared_infra: asked.is_shared_infra ?? false,
        version: asked.version ?? '',
        up_to_date: asked.version === options.version(),
      } as ServiceRegistration;
      services.set(asked.name, {
        name: asked.name,
        type: asked.type,
        url: asked.http_url,
        hash: registration.hash,
        lastHeartbeat: now,
        heartbeats: (before?.heartbeats ?? 0) + 1,
        registration,
      });
      return registration;
    },
    byHash: (hash) => known().find((service) => service.hash === hash),
    ofType: (type) => known().filter((service) => service.type === type),
    all: known,
    forget(type) {
      for (const [name, service] of services)
        if (type === undefined || service.type === type) services.delete(name);
    },
  };
}
