import { CronError } from './cron-error';

/** How far the clocks of a zone are ahead of UTC at an instant (ms). */
export type OffsetAt = (instant: number) => number;

/**
 * Reads a name as Go's `time.LoadLocation`: empty is UTC, `Local` the zone of this process.
 *
 * @throws CronError for a name that the IANA database does not hold
 */
export function timeZoneOf(name: string): OffsetAt {
  if (name === '' || name === 'UTC') return () => 0;
  const format = formatOf(name);
  return (instant) => {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value);
    const { year = 0, month = 0, day, hour, minute, second } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSeconds(instant);
  };
}

export function wholeSeconds(instant: number): number {
  return Math.floor(instant / 1000) * 1000;
}

function formatOf(name: string): Intl.DateTimeFormat {
  const refused = new CronError(
    `${JSON.stringify(name.slice(0, 100))} is no time zone: ` +
      'write a name of the IANA database such as Europe/Paris, or nothing for UTC',
  );
  // Intl also accepts offsets such as +01:00.
  if (!/^[A-Za-z]/.test(name)) throw refused;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name === 'Local' ? undefined : name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw refused;
  }
}
