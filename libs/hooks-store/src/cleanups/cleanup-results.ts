export interface CleanupFailure {
  nbErrors: number;
  error: string;
  outages: number;
  /** When to try again (ms); undefined gives it up. */
  retryAt?: number | undefined;
  /** The API refused, so only time ends the pause. */
  refused: boolean;
  /** An operator ended it: it did not fail. */
  ended?: boolean;
  /** What is known of the removal under way, if any. */
  removal?: 'answered' | 'not sent' | 'unsure';
  now: number;
}

export interface KeptFailure {
  kept: 'ok' | 'changed';
  /** Dead letters that were removed for this one. */
  dropped: number;
}

/** `busy`: with the token of the process that holds the hook. */
export type BegunCleanup = ['begun' | 'other'] | ['busy', string];

/** The result of bringing a cleanup forward; `due` (ms) is its new time. */
export type MadeDue = { kind: 'ok'; due: number } | { kind: 'unknown' | 'stopped' | 'failed' };

/**
 * The result of a cancellation. `busy`: the holder of that hook is calling the API; `unsure`: the
 * API was called, and may still remove the runs.
 */
export type Cancelled =
  | { kind: 'none' | 'lost' }
  /** `requestId`: of the deletion that scheduled it, or "". */
  | { kind: 'cancelled'; requestId: string }
  | { kind: 'busy'; hook: string }
  | { kind: 'unsure'; id: string };
