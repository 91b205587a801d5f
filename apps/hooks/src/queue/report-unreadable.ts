import type { KeySetAside } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { LRUCache } from 'lru-cache';

/** Between two log lines about one task. */
const REPORT_EVERY_MS = 300_000;
const MAX_REPORTED = 10_000;

/** Logs values in Redis that cannot be read. */
export function createUnreadableReports(logger: Logger) {
  const reported = new LRUCache<string, true>({ max: MAX_REPORTED, ttl: REPORT_EVERY_MS });
  return {
    setAside(key: KeySetAside): void {
      logger.error(
        key,
        'a key in Redis holds another type of value: it is set aside, look at it under its new name',
      );
    },
    task(uuid: string): void {
      if (reported.has(uuid)) return;
      reported.set(uuid, true);
      logger.warn(
        { hook: uuid },
        'a task in Redis cannot be read and is left out of the list: save its workflow',
      );
    },
  };
}
