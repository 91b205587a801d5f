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

export type HookOutcome =
  /** Nothing is left to do, or another job does it. */
  | { kind: 'idle' }
  /** Another process holds the hook lock. */
  | { kind: 'busy' }
  /** More executions are pending, and other hooks have their turn. */
  | { kind: 'more' }
  /**
   * Not before `until` (ms), or with `forApi` as soon as the API answers. `passed`: the paused
   * executions of a hook whose order is free; all others can be processed at once.
   */
  | (ProcessOutcome & { kind: 'pause'; passed?: Passed });

/** Executions of one hook before other hooks have their turn. */
const MAX_IN_A_ROW = 50;
/** Executions of one hook that share a slot; then the next in line gets it. */
const MAX_PER_SLOT = 10;
/** Deferred executions of one hook. */
const MAX_PASSED = 1_000;

/** Id of a paused execution → end of its pause (ms). */
export type Passed = ReadonlyMap<string, number>;

/** Processes the pending executions of one hook: in order, unless its type allows any order. */
export function createProcessHook(deps: {
  store: DeliveryStore;
  hookLock: HookLock;
  processor: Processor;
  isInAnyOrder: (type: string) => boolean;
  now: Clock;
  retryDelayMs: number;
  /** Aborted when no new execution is to begin. */
  ending: AbortSignal;
  /** Whether few executions are to begin, since deliveries wait. */
  yields?: () => boolean;
}) {
  const { store, hookLock, now, retryDelayMs, ending } = deps;
  const slots = createSlots(deps.yields);

  /**
   * @param next the first pending execution, if known
   * @returns the outcome of the hook, or the next execution, or nothing when more may be pending
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
    const ended = await defer(lock, pending, outcome, passed);
    return ended ? { ended } : {};
  }

  /** Defers a paused execution where order is free, until all are paused. */
  async function defer(
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

  async function processAll(lock: HeldLock): Promise<HookOutcome> {
    const passed = new Map<string, number>();
    let done = 0;
    while (done < MAX_IN_A_ROW + passed.size) {
      const slot = await slots.take();
      try {
        const last = Math.min(done + MAX_PER_SLOT, MAX_IN_A_ROW + passed.size);
        // A taken execution is processed at once: its task could be stopped while it waits.
        const mayTakeNext = () => done + 1 < last && slot.isHeld && !ending.aborted;
        let next: TakenExecution | undefined;
        do {
          if (ending.aborted) return { kind: 'more' };
          const result = await processNext(lock, passed, next, mayTakeNext);
          if ('ended' in result) return result.ended;
          next = result.next;
          if (next) slot.begun();
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
      return await processAll(lock);
    } finally {
      await hookLock.release(lock);
    }
  };
}

export type ProcessHook = ReturnType<typeof createProcessHook>;
