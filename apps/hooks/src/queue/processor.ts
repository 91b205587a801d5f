import type { PendingExecution, TakenExecution, HeldLock } from '@cds/hooks-store';

export type ProcessOutcome =
  /** `next`: the execution behind it, if it was taken in the same round trip. */
  | { kind: 'done'; next?: TakenExecution | undefined }
  /** Another process resumes it, or this one does later. */
  | { kind: 'left' }
  /**
   * `outages`: tries in a row that the API did not answer, 0 after a refusal. `paused`: pauses the
   * whole hook; called when its job can be resumed. Never throws.
   */
  | { kind: 'pause'; until: number; forApi: boolean; outages: number; paused?: () => void };

/** The outcome of an execution that no outage pauses. @param until ms */
export function pauseUntil(until: number): ProcessOutcome & { kind: 'pause' } {
  return { kind: 'pause', until, forApi: false, outages: 0 };
}

/**
 * Processes the first pending execution of a hook and finishes it in the store. `mayTakeNext` is
 * asked then: whether the execution behind it can be processed at once.
 */
export type Processor = (
  lock: HeldLock,
  pending: PendingExecution,
  mayTakeNext?: () => boolean,
) => Promise<ProcessOutcome>;
