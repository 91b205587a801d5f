import type { RegisteredService } from './model';

/** A service that was silent for so long is forgotten. */
const FORGOTTEN_AFTER_MS = 180_000;

/** The rows of `service`. */
export interface ServiceRegistry {
  /** Inserts a row, or updates the one with this key; counts as a heartbeat. */
  upsert(key: string, row: Pick<RegisteredService, 'name' | 'type' | 'url' | 'hash'>): void;
  /** Keeps what the service said of itself. */
  describe(key: string, registration: RegisteredService['registration']): void;
  /** @returns whether there is such a row */
  heartbeat(key: string): boolean;
  byKey(key: string): RegisteredService | undefined;
  /** All services of a type, in the order of their first registration. */
  ofType(type: RegisteredService['type']): RegisteredService[];
  all(): RegisteredService[];
  remove(key: string): void;
  /** The rows are gone, of all services or of one type. */
  forget(type?: RegisteredService['type']): void;
}

/**
 * @param forgottenAfterMs how long a service may be silent; 180,000 as the API has it when not
 * given
 */
export function createServiceRegistry(forgottenAfterMs = FORGOTTEN_AFTER_MS): ServiceRegistry {
  const services = new Map<string, RegisteredService>();
  let lastId = 0;

  function known(): RegisteredService[] {
    for (const [key, { lastHeartbeat }] of services)
      if (Date.now() - lastHeartbeat > forgottenAfterMs) services.delete(key);
    return [...services.values()];
  }

  const byKey: ServiceRegistry['byKey'] = (key) => known().find((service) => service.key === key);

  return {
    byKey,
    upsert(key, row) {
      const before = byKey(key);
      if (!before) lastId += 1;
      services.set(key, {
        ...row,
        key,
        id: before?.id ?? lastId,
        lastHeartbeat: Date.now(),
        heartbeats: (before?.heartbeats ?? 0) + 1,
        registration: before?.registration ?? {},
      });
    },
    describe(key, registration) {
      const service = byKey(key);
      if (service) service.registration = registration;
    },
    heartbeat(key) {
      const service = byKey(key);
      if (!service) return false;
      service.lastHeartbeat = Date.now();
      service.heartbeats += 1;
      return true;
    },
    ofType: (type) => known().filter((service) => service.type === type),
    all: known,
    remove: (key) => void services.delete(key),
    forget(type) {
      for (const [key, service] of services)
        if (type === undefined || service.type === type) services.delete(key);
    },
  };
}
