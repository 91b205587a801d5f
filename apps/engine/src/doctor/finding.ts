/** How a check ended. A warning works today, and may not tomorrow; what is skipped is not known. */
export type FindingStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** What a check says. */
export interface Outcome {
  status: FindingStatus;
  message: string;
  /** What to do; under a failure there is always one. */
  fix?: string;
}

/** What a check found. `id` is stable, for programs. */
export interface Finding extends Outcome {
  id: string;
  /** What was checked, where there are several: a service, a server, a hook. */
  subject: string;
}

/** One question. */
export interface Check {
  id: string;
  subject?: string;
  /** Ids of checks without whose success this one says nothing: `id`, or `id subject`. */
  needs?: readonly string[];
  /**
   * Asks without changing anything. An error that it throws is a failure.
   * @param signal aborted when its time is over
   */
  run(signal: AbortSignal): Promise<Outcome | readonly (Outcome & { subject?: string })[]>;
}

export const ok = (message: string): Outcome => ({ status: 'ok', message });
export const skipped = (message: string, fix?: string): Outcome => ({
  ...{ status: 'skipped', message },
  ...(fix === undefined ? {} : { fix }),
});
export const warning = (message: string, fix: string): Outcome => ({
  ...{ status: 'warning', message, fix },
});
export const failed = (message: string, fix: string): Outcome => ({
  ...{ status: 'failed', message, fix },
});

/** The words of an error for people. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
