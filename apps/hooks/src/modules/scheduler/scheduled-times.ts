import { createSchedule, isCronError, type Schedule } from '@cds/cron';
import type { Occurrence } from '@cds/hooks-store';
import { CdsError, type HookConfig } from '@cds/wire';

/** Schedules are read once for each expression and zone, so many are remembered. */
const MOST_REMEMBERED = 1_000;
const remembered = new Map<string, Schedule>();

/** The expression and the zone of a scheduler, as one text. */
export function scheduleText(config: HookConfig | null): string {
  return JSON.stringify([config?.cron?.value ?? '', config?.timezone?.value ?? '']);
}

/**
 * The times of a scheduler.
 *
 * @throws CdsError 400 with the position of the mistake
 */
export function scheduleOf(config: HookConfig | null): Schedule {
  const text = scheduleText(config);
  const known = remembered.get(text);
  if (known) return known;
  const schedule = readSchedule(config?.cron?.value ?? '', config?.timezone?.value ?? '');
  const [oldest] = remembered.keys();
  if (oldest !== undefined && remembered.size >= MOST_REMEMBERED) remembered.delete(oldest);
  remembered.set(text, schedule);
  return schedule;
}

function readSchedule(cron: string, timeZone: string): Schedule {
  try {
    return createSchedule(cron, timeZone);
  } catch (error) {
    if (!isCronError(error)) throw error;
    const key = error.column === undefined ? 'timezone' : 'cron';
    throw new CdsError('wrongRequest', { from: `${key}: ${error.message}`, cause: error });
  }
}

/** Who is later than this was away; up to then every time is made up for. */
const AWAY_MS = 10_000;

/**
 * What runs for a scheduler that is due since `due`. Of the times that passed while every replica or Redis was away, only the
 * last one runs: all others are more than one period ago.
 */
export function occurrenceOf(schedule: Schedule, due: number, now: number): Occurrence {
  const late = now - due > AWAY_MS;
  const time = late ? schedule.latest(due, now) : due;
  return { time, next: schedule.next(time), late };
}
