import type { KeySetAside } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { LRUCache } from 'lru-cache';

/** Between two lines of the log about one task, of those that were named last. */
const TOLD_MS = 300_000;
const MAX_TOLD = 10_000;

/** What the log says of values in Redis that cannot be read. */
export function createUnreadableReports(logger: Logger) {
  const told = new LRUCache<string, true>({ max: MAX_TOLD, ttl: TOLD_MS });
  return {
    setAside(key: KeySetAside): void {
      logger.error(
        key,
        'a key in Redis holds another type of value: it is set aside, look at it under its new name',
      );
    },
    task(uuid: string): void {
      if (told.has(uuid)) return;
      told.set(uuid, true);
      logger.warn(
        { hook: uuid },
        'a task in Redis cannot be read and is left out of the list: save its workflow',
      );
    },
  };
}
