import type {
  Clock,
  DeliveryStore,
  PendingExecution,
  TakenExecution,
  HeldLock,
  HookLock,
} from '@cds/hooks-store';
import type { Processor, ProcessOutcome } from './processor';
import { pauseEnd } from './api-failure';
import { hookJobId } from './job-ids';
import { createSlots } from './slots';

export interface ProcessHookDeps {
  store: DeliveryStore;
  hookLock: HookLock;
  processor: Processor;
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
const MAX_PASSED = 1_000;

/** Ids of the executions that pause → until when (ms). */
export type Passed = ReadonlyMap<string, number>;

/** Works off the executions of one hook, in the order in which they were accepted where its kind asks for that. */
export function createProcessHook(deps: ProcessHookDeps) {
  const { store, hookLock, now, retryDelayMs, ending } = deps;
  const slots = createSlots();

  /**
   * @param next the head, where it is known already
   * @returns what to do with the hook, or the next head or nothing when it may have more to do now
   */
  async function processNext(
    lock: HeldLock,
    passed: Map<string, number>,
    next: TakenExecution | undefined,
    mayTakeNext: () => boolean,
  ): Promise<{ ended: HookOutcome } | { next?: TakenExecution | undefined }> {
    const { uuid, lockToken } = lock;
    const taken = next ?? (await store.takePending(uuid, lockToken, hookJobId(uuid)));
    if (taken.kind !== 'work') return { ended: { kind: 'idle' } };
    const { pending } = taken;
    const paused = pauseEnd(pending.state.retry_at, now(), retryDelayMs);
    const outcome: ProcessOutcome =
      paused > 0
        ? { kind: 'pause', until: paused, forApi: false, outages: 0 }
        : await deps.processor(lock, pending, mayTakeNext);
    if (outcome.kind === 'done') return { next: outcome.next };
    if (outcome.kind === 'left') return { ended: { kind: ending.aborted ? 'more' : 'idle' } };
    const ended = await letPass(lock, pending, outcome, passed);
    return ended ? { ended } : {};
  }

  /** Where order does not matter, what pauses lets the others pass, until all pause. */
  async function letPass(
    lock: HeldLock,
    { id, execution }: PendingExecution,
    pause: ProcessOutcome & { kind: 'pause' },
    passed: Map<string, number>,
  ): Promise<HookOutcome | undefined> {
    if (pause.forApi || pause.paused || !deps.isInAnyOrder(execution.type)) return pause;
    const isSeen = passed.has(id);
    passed.set(id, pause.until);
    const all = { ...pause, until: Math.min(...passed.values()) };
    if (passed.size > MAX_PASSED) return all;
    const moved = isSeen ? 'seen' : await store.requeueAtTail(lock, id);
    if (moved === 'ok') return undefined;
    return moved === 'lost' ? { kind: 'idle' } : { ...all, passed };
  }

  async function processor(lock: HeldLock): Promise<HookOutcome> {
    const passed = new Map<string, number>();
    let done = 0;
    while (done < SHARE + passed.size) {
      const slot = await slots.take();
      try {
        const last = Math.min(done + AT_ONE_PLACE, SHARE + passed.size);
        // What is taken is gone on with at once: were it to wait, its task could be stopped meanwhile.
        const mayTakeNext = () => done + 1 < last && slot.isHeld && !ending.aborted;
        let next: TakenExecution | undefined;
        do {
          if (ending.aborted) return { kind: 'more' };
          const result = await processNext(lock, passed, next, mayTakeNext);
          if ('ended' in result) return result.ended;
          next = result.next;
          done++;
        } while (next);
      } finally {
        slot.giveBack();
      }
    }
    return { kind: 'more' };
  }

  return async function processHook(uuid: string): Promise<HookOutcome> {
    const lock = await hookLock.acquire(uuid);
    if (!lock) return { kind: 'busy' };
    try {
      return await processor(lock);
    } finally {
      await hookLock.release(lock);
    }
  };
}

export type ProcessHook = ReturnType<typeof createProcessHook>;
