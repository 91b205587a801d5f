import type { TaskType } from '@cds/wire';
import type { PendingExecution, TakenExecution, HeldLock } from '@cds/hooks-store';

/** What came of working at one execution. */
export type ProcessOutcome =
  /** `next`: the one behind it, where it was taken along. */
  | { kind: 'done'; next?: TakenExecution | undefined }
  /** It is for someone else, or for later, to go on. */
  | { kind: 'left' }
  /**
   * `outages`: tries in a row that the API did not answer, 0 after a refusal. `paused`: all
   * executions of the hook pause; it is called when they do, so that its job can be resumed, and
   * never throws.
   */
  | { kind: 'pause'; until: number; forApi: boolean; outages: number; paused?: () => void };

/**
 * Works at the execution at the head of a hook's list, and ends it in the store when it is done.
 * `mayTakeNext` is asked when that is so: whether the one behind it can be gone on with at once.
 */
export type Processor = (
  lock: HeldLock,
  pending: PendingExecution,
  mayTakeNext?: () => boolean,
) => Promise<ProcessOutcome>;

/**
 * Hands each execution to the processor of the type that its hook had when it was accepted.
 *
 * @param otherwise for types without one, and for what cannot be read
 */
export function createProcessorByType(
  processors: Partial<Record<TaskType, Processor>>,
  otherwise: Processor,
): Processor {
  return (lock, pending, mayTakeNext) => {
    const ofType =
      pending.unreadable === undefined ? processors[pending.execution.type] : undefined;
    return (ofType ?? otherwise)(lock, pending, mayTakeNext);
  };
}
