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
  run(signal: AbortSignal): Outcomes | Promise<Outcomes>;
}

/** One, or several of which each may have a subject of its own. */
export type Outcomes = Outcome | readonly (Outcome & { subject?: string })[];

const withFix =
  (status: FindingStatus) =>
  (message: string, fix: string): Outcome => ({ status, message, fix });

export const ok = (message: string): Outcome => ({ status: 'ok', message });
export const warning = withFix('warning');
export const failed = withFix('failed');
export function skipped(message: string, fix?: string): Outcome {
  return { status: 'skipped', message, ...(fix !== undefined && { fix }) };
}

/** Its id, and its subject where it has one. */
export function nameOf({ id, subject }: Pick<Finding, 'id' | 'subject'>): string {
  return subject === '' ? id : `${id} ${subject}`;
}
