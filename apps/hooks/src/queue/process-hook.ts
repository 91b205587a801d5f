import type { Clock, DeliveryStore, Head, TakenHead, Claim, HookOwnership } from '@cds/hooks-store';
import type { Processor, ProcessOutcome } from './processor';
import { pauseEnd } from './api-failure';
import { drainJobId } from './job-ids';
import { createPlaces } from './slots';

export interface WorkOffHookDeps {
  store: DeliveryStore;
  ownership: HookOwnership;
  workOff: Processor;
  /** Whether executions of hooks of this type may overtake each other. */
  isInAnyOrder: (type: string) => boolean;
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
  /**
   * Not before `until` (ms). `forApi`: unless the API answers earlier; `outages`: how often it did not, in a row.
   * `passed`: the executions that pause, where order does not matter; one that is not among them has nothing to wait for.
   */
  | (ProcessOutcome & { kind: 'pause'; passed?: Passed });

/** Deliveries of one hook after which hooks that wait for a worker have their turn. */
const SHARE = 50;

/** Deliveries of one hook that follow each other at one place; then whoever waits for one has it. */
const AT_ONE_PLACE = 10;

/** Executions of one hook that may let others pass in one go. */
const MOST_PASSED = 1_000;

/** Ids of the executions that pause → until when (ms). */
export type Passed = ReadonlyMap<string, number>;

/** Works off the executions of one hook, in the order in which they were accepted where its kind asks for that. */
export function createWorkOffHook(deps: WorkOffHookDeps) {
  const { store, ownership, now, retryDelayMs, ending } = deps;
  const places = createPlaces();

  /**
   * @param next the head, where it is known already
   * @returns what to do with the hook, or the next head or nothing when it may have more to do now
   */
  async function workOffHead(
    claim: Claim,
    passed: Map<string, number>,
    next: TakenHead | undefined,
    mayTakeNext: () => boolean,
  ): Promise<{ ended: HookOutcome } | { next?: TakenHead }> {
    const { uuid, holder } = claim;
    const taken = next ?? (await store.takeHead(uuid, holder, drainJobId(uuid)));
    if (taken.kind !== 'work') return { ended: { kind: 'idle' } };
    const { head } = taken;
    const paused = pauseEnd(head.state.retry_at, now(), retryDelayMs);
    const outcome: ProcessOutcome =
      paused > 0
        ? { kind: 'pause', until: paused, forApi: false, outages: 0 }
        : await deps.workOff(claim, head, mayTakeNext);
    if (outcome.kind === 'done') return { next: outcome.next };
    if (outcome.kind === 'left') return { ended: { kind: ending.aborted ? 'more' : 'idle' } };
    const ended = await letPass(claim, head, outcome, passed);
    return ended ? { ended } : {};
  }

  /** Where order does not matter, what pauses lets the others pass, until all pause. */
  async function letPass(
    claim: Claim,
    { id, execution }: Head,
    pause: ProcessOutcome & { kind: 'pause' },
    passed: Map<string, number>,
  ): Promise<HookOutcome | undefined> {
    if (pause.forApi || pause.paused || !deps.isInAnyOrder(execution.type)) return pause;
    const isSeen = passed.has(id);
    passed.set(id, pause.until);
    const all = { ...pause, until: Math.min(...passed.values()) };
    if (passed.size > MOST_PASSED) return all;
    const moved = isSeen ? 'seen' : await store.moveBack(claim, id);
    if (moved === 'ok') return undefined;
    return moved === 'lost' ? { kind: 'idle' } : { ...all, passed };
  }

  async function workOff(claim: Claim): Promise<HookOutcome> {
    const passed = new Map<string, number>();
    let done = 0;
    while (done < SHARE + passed.size) {
      const place = await places.take();
      try {
        const last = Math.min(done + AT_ONE_PLACE, SHARE + passed.size);
        // What is taken is gone on with at once: were it to wait, its task could be stopped meanwhile.
        const mayTakeNext = () => done + 1 < last && place.isHeld && !ending.aborted;
        let next: TakenHead | undefined;
        do {
          if (ending.aborted) return { kind: 'more' };
          const result = await workOffHead(claim, passed, next, mayTakeNext);
          if ('ended' in result) return result.ended;
          next = result.next;
          done++;
        } while (next);
      } finally {
        place.giveBack();
      }
    }
    return { kind: 'more' };
  }

  return async function workOffHook(uuid: string): Promise<HookOutcome> {
    const claim = await ownership.claim(uuid);
    if (!claim) return { kind: 'busy' };
    try {
      return await workOff(claim);
    } finally {
      await ownership.release(claim);
    }
  };
}

export type WorkOffHook = ReturnType<typeof createWorkOffHook>;
