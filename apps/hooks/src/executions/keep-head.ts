import { type Clock, type ExecutionState, timestampOfMs } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { WorkOffOutcome } from '../kinds/work-off-by-kind';
import type { DeliveryStore, Head, Saved } from './delivery-store';
import type { Claim } from './hook-ownership';
import { drainJobId } from './job-ids';
import { untilStored } from './until-stored';

export interface KeepHeadDeps {
  store: Pick<DeliveryStore, 'save' | 'finish'>;
  logger: Logger;
  now: Clock;
  /** Aborted when there is no time left to wait for Redis. */
  killed: AbortSignal;
  /** Told of each execution that has ended. */
  ended?: (uuid: string, result: 'done' | 'failed', deadLettersDropped: number) => void;
}

/** Keeps how far an execution has come, for as long as Redis takes. */
export interface KeptHead {
  /** Anything but `ok` says that it must not be gone on with. */
  keep(state: ExecutionState): Promise<Saved>;
  /** It is to be gone on with at `until` (ms); see WorkOffOutcome. */
  pause(state: ExecutionState, until: number, forApi: boolean): Promise<WorkOffOutcome>;
  /** It is done, or has failed for good (`failed`). */
  finish(state: ExecutionState): Promise<WorkOffOutcome>;
}

/** What is to be done with a head whose state could not be kept. */
export function notKept(saved: Exclude<Saved, 'ok'>): WorkOffOutcome {
  return { kind: saved === 'gone' ? 'done' : 'left' };
}

/**
 * What works at the head of a hook's list keeps its state through this. The next one is taken with what ends a head, where
 * `mayTakeNext` allows that; see WorkOff.
 */
export function createKeepHead(deps: KeepHeadDeps) {
  const { store, now } = deps;
  const stored = { logger: deps.logger, signal: deps.killed };

  return function keepHead(claim: Claim, head: Head, mayTakeNext = () => false): KeptHead {
    /** As it stands in Redis. */
    let before = head.stateJson;

    async function keep(state: ExecutionState): Promise<Saved> {
      const json = JSON.stringify(state);
      const saved = await untilStored(() => store.save(claim, head.id, json, before), stored);
      before = json;
      return saved;
    }

    return {
      keep,

      async pause(state, until, forApi) {
        const saved = await keep(state);
        if (saved !== 'ok') return notKept(saved);
        return { kind: 'pause', until, forApi, outages: state.outages };
      },

      async finish(state) {
        const finished: ExecutionState = {
          ...state,
          status: 'DONE',
          processing_timestamp: timestampOfMs(now()),
          retry_at: 0,
        };
        const { saved, dropped, next } = await untilStored(() => {
          const nextFor = mayTakeNext() ? drainJobId(claim.uuid) : '';
          return store.finish(claim, head.id, finished, before, nextFor);
        }, stored);
        if (saved === 'ok') deps.ended?.(claim.uuid, state.failed ? 'failed' : 'done', dropped);
        return saved === 'lost' ? { kind: 'left' } : { kind: 'done', next };
      },
    };
  };
}
