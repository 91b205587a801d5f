import { hasRedisErrorCode } from './redis-errors';

/** A right that nothing asked for since is taken to be granted. */
const FORGOTTEN_AFTER_MS = 10 * 60_000;

/** What works without: settings and roles that are read, names that are given, a sign of life. */
const NOT_NEEDED = /^(config|info|client|ping|role|wait)\b/i;

/** The rights that Redis refused to this process. */
export type MissingRights = ReturnType<typeof createMissingRights>;

/** Logs one ERROR for each right that the ACL of Redis refuses. */
export function createMissingRights(deps: {
  logger: { error(fields: object, message: string): void };
}) {
  const lastAt = new Map<string, number>();
  let refused = false;
  return {
    /** The error of any command. */
    note(error: Error): void {
      if (!hasRedisErrorCode(error, 'NOPERM')) return;
      const right = missingRight(error);
      if (NOT_NEEDED.test(right)) return;
      const isNew = !lastAt.has(right);
      lastAt.set(right, performance.now());
      if (isNew) deps.logger.error({ right }, 'Redis refuses a right that this service needs');
    },

    /**
     * What the ACL user lacks, as of the last ten minutes; undefined where nothing, and while
     * `refusal` says it. Writes that are taken again show that the ACL was corrected.
     *
     * @param refusal why Redis refuses writes; undefined where it takes them
     */
    sentence(refusal: string | undefined): string | undefined {
      if (refusal === undefined && refused) lastAt.clear();
      refused = refusal !== undefined;
      if (refused) return undefined;
      for (const [right, at] of lastAt)
        if (performance.now() - at > FORGOTTEN_AFTER_MS) lastAt.delete(right);
      return lastAt.size === 0
        ? undefined
        : `its user lacks a permission (NOPERM): ${[...lastAt.keys()].join(', ')}`;
    },
  };
}

/** The command, or the kind of pattern, that the ACL lacks. Never an argument of the command. */
function missingRight(error: Error): string {
  const [, command] = /run the '([^']{1,50})' command/.exec(error.message) ?? [];
  if (command !== undefined) return command;
  if (/\bkeys?\b/.test(error.message)) return 'the pattern of its keys';
  if (/\bchannels?\b/.test(error.message)) return 'the pattern of its channels';
  return 'a command of a script, which ACL LOG of Redis names';
}
