import {
  type Clock,
  type ExecutionState,
  timestampOfMs,
  type DeliveryStore,
  type PendingExecution,
  type Saved,
  type HeldLock,
} from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { ProcessOutcome } from './processor';
import { attemptAlone } from './attempts';
import { hookJobId } from './job-ids';
import { retryWrite } from './retry-write';

export interface SaveProgressDeps {
  store: Pick<DeliveryStore, 'save' | 'finish'>;
  logger: Logger;
  now: Clock;
  /** Aborted when there is no time left to wait for Redis. */
  killed: AbortSignal;
  /** Told of each execution that has ended. */
  ended?: (uuid: string, result: 'done' | 'failed', deadLettersDropped: number) => void;
}

/** Keeps how far an execution has come, for as long as Redis takes. */
export interface SavedProgress {
  /**
   * Anything but `ok` says that it must not be gone on with.
   * @param before `by itself`: what {@link attempt} does comes next, so that it counts as begun
   *   from now on
   */
  keep(state: ExecutionState, before?: 'by itself'): Promise<Saved>;
  /**
   * Does what this process does by itself for the execution, and which may kill or freeze it: what
   * others had begun in vain is counted before it is begun, and done alone. Costs no round trip
   * otherwise, since the first time is counted with what took the execution or kept its state.
   * Whoever dies later, while others are asked, is not counted for that.
   *
   * @returns undefined when it must not be gone on with
   */
  attempt<T>(state: ExecutionState, work: () => T | Promise<T>): Promise<{ value: T } | undefined>;
  /** It is to be gone on with at `until` (ms); see ProcessOutcome. */
  pause(state: ExecutionState, until: number, forApi: boolean): Promise<ProcessOutcome>;
  /** It is done, or has failed for good (`failed`). */
  finish(state: ExecutionState): Promise<ProcessOutcome>;
}

/** What is to be done with a head whose state could not be kept. */
export function notSaved(saved: Exclude<Saved, 'ok'>): ProcessOutcome {
  return { kind: saved === 'gone' ? 'done' : 'left' };
}

/**
 * What works at the head of a hook's list keeps its state through this. The next one is taken with what ends a head, where
 * `mayTakeNext` allows that; see Processor.
 */
export function createSaveProgress(deps: SaveProgressDeps) {
  const { store, now } = deps;
  const stored = { logger: deps.logger, signal: deps.killed };

  return function saveProgress(
    lock: HeldLock,
    pending: PendingExecution,
    mayTakeNext = () => false,
  ): SavedProgress {
    /** As it stands in Redis. */
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

    function keep(state: ExecutionState, next?: 'by itself'): Promise<Saved> {
      // What others had begun is counted when it is begun alone.
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

      async attempt(state, work) {
        if (pending.begun === 0) return { value: await work() };
        return attemptAlone(pending.execution.type, () => countedAndAlone(state, work));
      },

      async pause(state, until, forApi) {
        const saved = await keep(state);
        if (saved !== 'ok') return notSaved(saved);
        return { kind: 'pause', until, forApi, outages: state.outages };
      },

      async finish(state) {
        const finished: ExecutionState = {
          ...state,
          status: 'DONE',
          processing_timestamp: timestampOfMs(now()),
          retry_at: 0,
        };
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
