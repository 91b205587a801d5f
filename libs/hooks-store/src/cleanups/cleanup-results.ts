// What the scripts of cleanups are told, and what they answer.

export interface CleanupFailure {
  nbErrors: number;
  error: string;
  outages: number;
  /** When to try again (ms); undefined gives it up. */
  retryAt?: number | undefined;
  /** The API said no, so that nothing but time ends the pause. */
  refused: boolean;
  /** An operator ended it: it did not fail. */
  ended?: boolean;
  /** What is known of the removal that was under way; not given where none was. */
  removal?: 'answered' | 'not sent' | 'unsure';
  now: number;
}

export interface KeptFailure {
  kept: 'ok' | 'changed';
  /** Dead letters that gave way to this one. */
  dropped: number;
}

/** `busy`: this one holds its hook. */
export type BegunCleanup = ['begun' | 'other'] | ['busy', string];

/** What bringing a cleanup forward led to; `due` (ms) is when it is to be done now. */
export type MadeDue = { kind: 'ok'; due: number } | { kind: 'unknown' | 'stopped' | 'failed' };

/**
 * What an order to cancel led to. `busy`: a holder of that hook has the API remove the runs at this
 * moment; `unsure`: the API was asked to, and may still do so.
 */
export type Cancelled =
  | { kind: 'none' | 'lost' }
  /** `requestId`: of the deletion that had scheduled it, or empty. */
  | { kind: 'cancelled'; requestId: string }
  | { kind: 'busy'; hook: string }
  | { kind: 'unsure'; id: string };
