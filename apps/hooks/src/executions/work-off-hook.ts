import type { Clock } from '@cds/hooks-store';
import type { WorkOff } from '../kinds/work-off-by-kind';
import type { DeliveryStore } from './delivery-store';
import { pauseEnd } from './failures';
import type { HookOwnership } from './hook-ownership';
import { drainJobId } from './job-ids';
import { createPlaces } from './places';

export interface WorkOffHookDeps {
  store: DeliveryStore;
  ownership: HookOwnership;
  workOff: WorkOff;
  now: Clock;
  retryDelayMs: number;
  /** Aborted when the service ends: what is under way is finished, nothing new is begun. */
  ending: AbortSignal;
}

export type HookOutcome =
  /** Nothing to do any more, or not for this job. */
  | { kind: 'idle' }
  /** Another one is at it. */
  | { kind: 'busy' }
  /** There is more, but others are to have their turn. */
  | { kind: 'more' }
  /** Not before `until` (ms). `forApi`: unless the API answers earlier; `outages`: how often it did not, in a row. */
  | { kind: 'pause'; until: number; forApi: boolean; outages: number };

/** Deliveries of one hook after which hooks that wait for a worker have their turn. */
const SHARE = 50;

/** Works off the executions of one hook in the order in which they were accepted. */
export function createWorkOffHook(deps: WorkOffHookDeps) {
  const { store, ownership, now, retryDelayMs, ending } = deps;
  const places = createPlaces();

  /** @returns undefined when the hook may have more to do now */
  async function workOffHead(uuid: string, holder: string): Promise<HookOutcome | undefined> {
    const taken = await store.takeHead(uuid, holder, drainJobId(uuid));
    if (taken.kind !== 'work') return { kind: 'idle' };
    const { head } = taken;
    const until = pauseEnd(head.state.retry_at, now(), retryDelayMs);
    if (until > 0) return { kind: 'pause', until, forApi: false, outages: 0 };

    const outcome = await deps.workOff({ uuid, holder }, head);
    if (outcome.kind === 'pause') return outcome;
    if (outcome.kind === 'left') return ending.aborted ? { kind: 'more' } : { kind: 'idle' };
    return undefined;
  }

  async function workOff(uuid: string, holder: string): Promise<HookOutcome> {
    for (let share = 0; share < SHARE; share++) {
      const giveBackPlace = await places.take();
      try {
        if (ending.aborted) return { kind: 'more' };
        const outcome = await workOffHead(uuid, holder);
        if (outcome) return outcome;
      } finally {
        giveBackPlace();
      }
    }
    return { kind: 'more' };
  }

  return async function workOffHook(uuid: string): Promise<HookOutcome> {
    const claim = await ownership.claim(uuid);
    if (!claim) return { kind: 'busy' };
    try {
      return await workOff(uuid, claim.holder);
    } finally {
      await ownership.release(claim);
    }
  };
}

export type WorkOffHook = ReturnType<typeof createWorkOffHook>;
