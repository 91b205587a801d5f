import type { LeftOutHook } from '@cds/api-client';
import type { Logger } from '@cds/service';

/** Log lines of one synchronization; a last line counts the others. */
const MAX_LINES = 20;

/** Hooks in the API's list that one synchronization cannot read. */
export function createLeftOutHooks(logger: Logger) {
  const uuids = new Set<string>();
  let count = 0;
  let mayBeAny = false;

  return {
    add(hook: LeftOutHook): void {
      if (hook.uuid !== undefined) uuids.add(hook.uuid);
      mayBeAny ||= hook.mayBeAny;
      count += 1;
      if (count > MAX_LINES) return;
      logger.warn(
        { hook: hook.uuid, why: hook.why },
        'a hook of the API cannot be read and is left out: its task stays as it is',
      );
    },

    /** Whether the API lists this hook in an unreadable form. */
    has: (uuid: string): boolean => uuids.has(uuid),

    /** Whether one of them may be any hook: no hook is known to be gone then. */
    mayBeAny: (): boolean => mayBeAny,

    /** Logs how many have no line of their own. */
    end(): void {
      if (count <= MAX_LINES) return;
      logger.warn({ hooks: count - MAX_LINES }, 'more hooks of the API are left out');
    },
  };
}
