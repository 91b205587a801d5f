import type { ScheduledTask } from '@cds/wire';

/** What runs for a scheduler that is due. */
export interface Occurrence {
  /** The time to run for (ms). */
  time: number;
  /** The one after it. */
  next: number | undefined;
  /** Whether those before it are left out, since nobody was there to run them. */
  late: boolean;
}

/** The time as an execution shows it, in the words of Go. */
export function scheduledTask(time: number): ScheduledTask {
  const [day, clock] = new Date(time).toISOString().split(/[T.]/);
  return { date_scheduled_execution: `${day} ${clock} +0000 UTC` };
}
