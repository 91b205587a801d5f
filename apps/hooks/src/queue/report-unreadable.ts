import type { KeySetAside } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { createRecently } from './recently';

/** Between two lines of the log about one task. */
const TOLD_MS = 300_000;

/** What the log says of values in Redis that cannot be read. */
export function createUnreadableReports(logger: Logger) {
  const told = createRecently(TOLD_MS);
  return {
    setAside(key: KeySetAside): void {
      logger.error(
        key,
        'a key in Redis holds another type of value: it is set aside, look at it under its new name',
      );
    },
    task(uuid: string): void {
      if (told.has(uuid)) return;
      told.add(uuid);
      logger.warn(
        { hook: uuid },
        'a task in Redis cannot be read and is left out of the list: save its workflow',
      );
    },
  };
}
