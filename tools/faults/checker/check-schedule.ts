import type { Violation } from './history';

/**
 * A scheduler as it was watched, from its first time to its last one. All times are in ms since
 * 1970.
 */
export interface WatchedSchedule {
  hook: string;
  /** From one time to the next. */
  periodMs: number;
  /** The times that `hooks` has executions of, and the number of the run that each led to. */
  executions: { time: number; run: number }[];
  /** The runs that the API started, and when it was asked for each. */
  runs: { number: number; askedAt: number }[];
  /**
   * Runs that may come twice, since a process may have died between the API's yes and what it made
   * of that.
   */
  mostDoubles: number;
  /**
   * No process ran from `from` until one was started at `until`, which worked at `readyAt`, or
   * before. Of the times that passed meanwhile the last one is asked for late, and those before it
   * are left out.
   */
  away?: { from: number; until: number; readyAt: number };
  /** Within this a run has to be asked for after its time, unless that was while a fault was on. */
  withinMs: number;
  /** A run of a time within may be late: it waited for the end of a fault. */
  fault: { from: number; until: number };
}

/**
 * Whether each time of a scheduler led to one run, none was left out, and each was asked for in
 * time.
 */
export function checkSchedule(schedule: WatchedSchedule): Violation[] {
  const { hook, executions } = schedule;
  const numbers = new Set(schedule.runs.map(({ number }) => number));
  const lost = executions.filter(({ run }) => !numbers.has(run));
  const doubles = schedule.runs.length - new Set(executions.map(({ run }) => run)).size;
  return [
    ...gaps(schedule),
    ...lost.map(({ time }) => ({
      kind: 'lost' as const,
      sentence: `The time ${iso(time)} of the scheduler ${hook} has no run.`,
    })),
    ...(doubles > schedule.mostDoubles
      ? [
          {
            kind: 'doubled' as const,
            sentence: `${doubles} runs of the scheduler ${hook} are of no time; ${schedule.mostDoubles} may be.`,
          },
        ]
      : []),
    ...unpunctual(schedule),
  ];
}

function gaps(schedule: WatchedSchedule): Violation[] {
  const { hook, periodMs, executions } = schedule;
  return executions.slice(1).flatMap(({ time }, index): Violation[] => {
    const before = executions[index]?.time ?? 0;
    if (time - before === periodMs) return [];
    const what = `of the scheduler ${hook} after that of ${iso(before)} is that of ${iso(time)}`;
    if (time <= before) return [{ kind: 'doubled', sentence: `The execution ${what}.` }];
    return mayBeLeftOut(schedule, before, time)
      ? []
      : [{ kind: 'lost', sentence: `The execution ${what}: some are missing.` }];
  });
}

/**
 * Whether the times between two may be missing: no process ran, and the second one is the last of
 * that while.
 */
function mayBeLeftOut({ away, periodMs }: WatchedSchedule, before: number, time: number): boolean {
  return (
    away !== undefined &&
    before >= away.from - periodMs &&
    time > away.until - periodMs &&
    time <= away.readyAt
  );
}

function unpunctual({ hook, executions, runs, withinMs, fault }: WatchedSchedule): Violation[] {
  return executions.flatMap(({ time, run }): Violation[] => {
    const asked = runs.find(({ number }) => number === run)?.askedAt;
    if (asked === undefined) return [];
    const sentence = `The run of ${iso(time)} of the scheduler ${hook} was asked for ${asked - time} ms after its time.`;
    if (asked < time) return [{ kind: 'early', sentence }];
    const isHit = time >= fault.from - withinMs && time <= fault.until;
    return asked - time > withinMs && !isHit ? [{ kind: 'late', sentence }] : [];
  });
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
