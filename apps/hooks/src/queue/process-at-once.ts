import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@cds/service';
import type { HookOutcome, ProcessHook } from './process-hook';

/** As many as have a job that is in progress: most of them wait for a slot or for the API. */
const MAX_AT_ONCE = 200;
const STOP_POLL_MS = 20;

/**
 * Processes hooks without a job: an idle one whose delivery this process has just stored. Whatever
 * it does not end goes to the hook queue; so does, by a sweep, what a crash leaves.
 */
export function createProcessAtOnce(deps: {
  processHook: ProcessHook;
  /** Adds the job for what is left to do. */
  leave: (uuid: string, outcome: HookOutcome) => Promise<void>;
  /** Adds the job in the background. */
  enqueue: (uuid: string) => void;
  logger: Logger;
  ending: AbortSignal;
}) {
  const { processHook, leave, enqueue, logger, ending } = deps;
  /** Until a hook is processed. */
  const underWay = new Map<string, Promise<HookOutcome | undefined>>();
  /** Those of which a delivery came when the list was empty, and the processing had not ended. */
  const again = new Set<string>();

  async function process(uuid: string): Promise<HookOutcome | undefined> {
    try {
      let outcome: HookOutcome;
      do {
        again.delete(uuid);
        outcome = await processHook(uuid);
        if (outcome.kind !== 'idle' || !outcome.isEmpty) await leave(uuid, outcome);
        // What is left otherwise has a job now, which may pause.
      } while (outcome.kind === 'idle' && again.has(uuid) && !ending.aborted);
      if (again.has(uuid)) enqueue(uuid);
      return outcome;
    } catch (error) {
      logger.debug({ error, hook: uuid }, 'a hook was not processed at once: its job is');
      enqueue(uuid);
      return undefined;
    } finally {
      again.delete(uuid);
      underWay.delete(uuid);
    }
  }

  return {
    /**
     * A delivery is stored, the `waiting`-th pending execution of its hook.
     * @returns false where the hook needs a job
     */
    arrived(uuid: string, waiting: number): boolean {
      if (underWay.has(uuid)) {
        // One behind others is seen with the end of the last.
        if (waiting === 1) again.add(uuid);
        return true;
      }
      if (waiting !== 1 || underWay.size >= MAX_AT_ONCE || ending.aborted) return false;
      // It ends in a later turn than this.
      underWay.set(uuid, process(uuid));
      return true;
    },

    /**
     * Resolves when a hook is not processed at once, or no more.
     * @returns what was left of it; undefined where that is not known
     */
    ended: async (uuid: string): Promise<HookOutcome | undefined> => underWay.get(uuid),

    /** Resolves when all are processed, or the time is over. */
    async stop(deadlineMs: number): Promise<void> {
      const until = performance.now() + deadlineMs;
      while (underWay.size > 0 && performance.now() < until) await sleep(STOP_POLL_MS);
      if (underWay.size > 0)
        logger.warn(
          { hooks: underWay.size },
          'no time is left for hooks in progress: other replicas resume them',
        );
    },
  };
}
