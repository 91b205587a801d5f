import type { ScheduledTask } from '@cds/wire';

/** A due time of a scheduler. */
export interface Occurrence {
  time: number;
  next: number | undefined;
  /** Whether earlier ones are skipped, since no replica was there to run them. */
  late: boolean;
}

/** The time in an execution, as Go writes it. */
export function scheduledTask(time: number): ScheduledTask {
  const [day, clock] = new Date(time).toISOString().split(/[T.]/);
  return { date_scheduled_execution: `${day} ${clock} +0000 UTC` };
}
