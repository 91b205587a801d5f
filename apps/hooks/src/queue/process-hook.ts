import {
  hookJobId,
  type Clock,
  type DeliveryStore,
  type PendingExecution,
  type TakenExecution,
  type HeldLock,
  type HookLock,
} from '@cds/hooks-store';
import { pauseUntil, type Processor, type ProcessOutcome } from './processor';
import { pauseEnd } from './api-failure';
import { createSlots } from './slots';

export type HookOutcome =
  /** Nothing is left to do, or another job does it. `isEmpty`: the list was, at the end. */
  | { kind: 'idle'; isEmpty?: boolean }
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
  const isEnding = () => ending.aborted;

  const take = (uuid: string, lockToken: string): Promise<TakenExecution> =>
    store.takePending(uuid, lockToken, hookJobId(uuid));

  async function processOne(
    lock: HeldLock,
    pending: PendingExecution,
    mayTakeNext: () => boolean,
  ): Promise<ProcessOutcome> {
    const paused = pauseEnd(pending.state.retry_at, now(), retryDelayMs);
    return paused > 0 ? pauseUntil(paused) : deps.processor(lock, pending, mayTakeNext);
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

  return async function processHook(uuid: string): Promise<HookOutcome> {
    const passed = new Map<string, number>();
    let lock: HeldLock | undefined;
    let done = 0;
    try {
      while (done < MAX_IN_A_ROW + passed.size) {
        const slot = await slots.take();
        try {
          if (isEnding()) return { kind: 'more' };
          let next: TakenExecution | undefined;
          if (lock) next = await take(uuid, lock.lockToken);
          else {
            const first = await hookLock.acquireAndTake(uuid, (token) => take(uuid, token));
            if (!first) {
              slot.unused();
              return { kind: 'busy' };
            }
            ({ lock, taken: next } = first);
          }
          const last = Math.min(done + MAX_PER_SLOT, MAX_IN_A_ROW + passed.size);
          // A taken execution is processed at once: its task could be stopped while it waits.
          const mayTakeNext = () => done + 1 < last && slot.isHeld && !isEnding();
          while (next) {
            if (next.kind !== 'work') return { kind: 'idle' };
            const { pending } = next;
            const outcome = await processOne(lock, pending, mayTakeNext);
            if (outcome.kind === 'left') return { kind: isEnding() ? 'more' : 'idle' };
            if (outcome.kind === 'pause') {
              const ended = await defer(lock, pending, outcome, passed);
              if (ended) return ended;
            }
            next = outcome.kind === 'done' ? outcome.next : undefined;
            done++;
            if (next?.kind === 'empty') {
              // It was seen with the end of the last one, which released the lock.
              hookLock.released(lock);
              lock = undefined;
              return { kind: 'idle', isEmpty: true };
            }
            if (next) slot.begun();
            if (isEnding()) return { kind: 'more' };
          }
        } finally {
          slot.giveBack();
        }
      }
      return { kind: 'more' };
    } finally {
      if (lock) await hookLock.release(lock);
    }
  };
}

export type ProcessHook = ReturnType<typeof createProcessHook>;
