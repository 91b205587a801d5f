import { Cron } from 'croner';
import { CronError } from './cron-error';
import { parseCron } from './parse-cron';
import { type OffsetAt, timeZoneOf, wholeSeconds } from './time-zone';

export interface Schedule {
  /** The first time after this instant (ms), in whole seconds; undefined when there is none. */
  next(after: number): number | undefined;
  /**
   * The last time up to `until`, where `time` is one of them (ms). As fast for years as for
   * minutes.
   */
  latest(time: number, until: number): number;
}

/**
 * The times of a cron expression in a time zone, as in CDS 0.41; see the README. croner finds the
 * times on a calendar without daylight saving; this module maps them to instants of the zone.
 *
 * @throws CronError
 */
export function createSchedule(expression: string, timeZone: string): Schedule {
  const patterns = parseCron(expression).map(
    (pattern) => new Cron(pattern, { timezone: 'UTC', mode: '7-part', paused: true }),
  );
  const offsetAt = timeZoneOf(timeZone);

  /** The first time on the calendar after this one. */
  function nextOnCalendar(after: number): number | undefined {
    const times = patterns.flatMap((pattern) => pattern.nextRun(new Date(after))?.getTime() ?? []);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  if (nextOnCalendar(0) === undefined) {
    throw new CronError('it never runs: no year that it names has such a day', 1);
  }

  function next(after: number): number | undefined {
    const from = wholeSeconds(after);
    let time = nextOnCalendar(from + offsetAt(from));
    while (time !== undefined) {
      const instant = instantOf(time, offsetAt);
      // Where clocks change, a time may map to an instant that is past.
      if (instant > after) return instant;
      time = nextOnCalendar(lastPast(time, instant, from, offsetAt));
    }
    return undefined;
  }

  return {
    next,
    latest(time, until) {
      let latest = time;
      // No time lies between `beyond` and `until`.
      let beyond = until;
      while (beyond - latest >= 1000) {
        const middle = latest + Math.floor((beyond - latest) / 2);
        const found = next(middle) ?? Infinity;
        if (found <= until) latest = found;
        else beyond = middle;
      }
      return latest;
    },
  };
}

/** The instant at which clocks show this time, by the rule of Go's `time.Date` for two or none. */
function instantOf(time: number, offsetAt: OffsetAt): number {
  return time - offsetAt(time - offsetAt(time));
}

/** The last time on the calendar that is known not to be after `from`. */
function lastPast(time: number, instant: number, from: number, offsetAt: OffsetAt): number {
  const shifted = time + (from - instant);
  return instantOf(shifted, offsetAt) === from ? shifted : time;
}
