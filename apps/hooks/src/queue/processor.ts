import type { TaskType } from '@cds/wire';
import type { Head, TakenHead, Claim } from '@cds/hooks-store';

/** What came of working at one execution. */
export type WorkOffOutcome =
  /** `next`: the one behind it, where it was taken along. */
  | { kind: 'done'; next?: TakenHead }
  /** It is for someone else, or for later, to go on. */
  | { kind: 'left' }
  /**
   * `outages`: tries in a row that the API did not answer, 0 after a refusal. `paused`: all
   *   executions of the hook pause,
   * and this is called when they do, so that its job can be resumed. Never throws.
   */
  | { kind: 'pause'; until: number; forApi: boolean; outages: number; paused?: () => void };

/**
 * Works at the execution at the head of a hook's list, and ends it in the store when it is done.
 * `mayTakeNext` is asked when that is so: whether the one behind it can be gone on with at once.
 */
export type WorkOff = (
  claim: Claim,
  head: Head,
  mayTakeNext?: () => boolean,
) => Promise<WorkOffOutcome>;

/**
 * Hands each execution to what works off its kind: the kind that the hook had when the execution was accepted.
 *
 * @param otherwise for kinds that have no entry, and for what cannot be read
 */
export function createWorkOffByKind(
  kinds: Partial<Record<TaskType, WorkOff>>,
  otherwise: WorkOff,
): WorkOff {
  return (claim, head, mayTakeNext) => {
    const ofKind = head.unreadable === undefined ? kinds[head.execution.type] : undefined;
    return (ofKind ?? otherwise)(claim, head, mayTakeNext);
  };
}
