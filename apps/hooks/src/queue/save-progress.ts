import {
  type Clock,
  type ExecutionState,
  hookJobId,
  timestampOfMs,
  type DeliveryStore,
  type PendingExecution,
  type Saved,
  type HeldLock,
} from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { ProcessOutcome } from './processor';
import { attemptAlone } from './attempts';
import { retryWrite } from './retry-write';

export interface SaveProgressDeps {
  store: Pick<DeliveryStore, 'save' | 'finish'>;
  logger: Logger;
  now: Clock;
  /** Aborted when there is no time left to wait for Redis. */
  killed: AbortSignal;
  /** Called for each execution that has ended. */
  ended?: (uuid: string, result: 'done' | 'failed', deadLettersDropped: number) => void;
}

export type SavedProgress = ReturnType<ReturnType<typeof createSaveProgress>>;

/** The outcome of an execution whose progress could not be saved. */
export function notSaved(saved: Exclude<Saved, 'ok'>): ProcessOutcome {
  return { kind: saved === 'gone' ? 'done' : 'left' };
}

/**
 * Saves the progress of executions. Each write is repeated until Redis takes it. Finishing an
 * execution takes the next one in the same round trip if `mayTakeNext` allows it.
 */
export function createSaveProgress(deps: SaveProgressDeps) {
  const { store, now } = deps;
  const stored = { logger: deps.logger, signal: deps.killed };

  return function saveProgress(
    lock: HeldLock,
    pending: PendingExecution,
    mayTakeNext = () => false,
  ) {
    /** The state in Redis. */
    let before = pending.stateJson;

    async function save(state: ExecutionState, begun: number): Promise<Saved> {
      const json = JSON.stringify(state);
      const saved = await retryWrite(
        () => store.save(lock, pending.id, json, before, begun),
        stored,
      );
      before = json;
      return saved;
    }

    /**
     * Processing must end after anything but `ok`.
     * @param next `by itself`: `attempt` comes next, so the execution counts as begun
     */
    function keep(state: ExecutionState, next?: 'by itself'): Promise<Saved> {
      // An execution that was begun before is counted when its work runs alone.
      return save(state, next === 'by itself' && pending.begun === 0 ? 1 : 0);
    }

    async function countedAndAlone<T>(state: ExecutionState, work: () => T | Promise<T>) {
      if ((await save(state, pending.begun + 1)) !== 'ok') return undefined;
      try {
        const value = await work();
        return (await save(state, 0)) === 'ok' ? { value } : undefined;
      } catch (error) {
        await save(state, 0);
        throw error;
      }
    }

    return {
      keep,

      /**
       * Does work that may crash or freeze the process. An execution that was begun in vain before
       * is counted first, and its work runs alone. The first time costs no round trip: taking the
       * execution or saving its progress counts it. A crash during a later call is not counted.
       *
       * @returns undefined when processing must end
       */
      async attempt<T>(
        state: ExecutionState,
        work: () => T | Promise<T>,
      ): Promise<{ value: T } | undefined> {
        if (pending.begun === 0) return { value: await work() };
        return attemptAlone(pending.execution.type, () => countedAndAlone(state, work));
      },

      /** @param until ms */
      async pause(state: ExecutionState, until: number, forApi: boolean): Promise<ProcessOutcome> {
        const saved = await keep(state);
        if (saved !== 'ok') return notSaved(saved);
        return { kind: 'pause', until, forApi, outages: state.outages };
      },

      /** The execution is done, or has failed for good (`failed`). */
      async finish(state: ExecutionState): Promise<ProcessOutcome> {
        const processed = timestampOfMs(now());
        const ended = { status: 'DONE', processing_timestamp: processed, retry_at: 0 } as const;
        const finished: ExecutionState = { ...state, ...ended };
        const { saved, dropped, next } = await retryWrite(() => {
          const nextFor = mayTakeNext() ? hookJobId(lock.uuid) : '';
          return store.finish(lock, pending.id, finished, before, nextFor);
        }, stored);
        if (saved === 'ok') deps.ended?.(lock.uuid, state.failed ? 'failed' : 'done', dropped);
        return saved === 'lost' ? { kind: 'left' } : { kind: 'done', next };
      },
    };
  };
}
