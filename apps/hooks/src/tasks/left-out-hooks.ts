import type { LeftOutHook } from '@cds/api-client';
import type { Logger } from '@cds/service';

/** Lines of the log about one reading; the last line counts the others. */
const MAX_LINES = 20;

/** The entries of the API's list that one reading could not read. */
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

    /** Whether the API lists this hook, though not in a form that can be read. */
    has: (uuid: string): boolean => uuids.has(uuid),

    /** Whether one of them may be any hook, so that nobody knows which hooks are gone. */
    mayBeAny: (): boolean => mayBeAny,

    /** Tells of those that were not told of. */
    end(): void {
      if (count <= MAX_LINES) return;
      logger.warn({ hooks: count - MAX_LINES }, 'more hooks of the API are left out');
    },
  };
}
