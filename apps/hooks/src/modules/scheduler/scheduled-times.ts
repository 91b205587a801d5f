import { createSchedule, isCronError, type Schedule } from '@cds/cron';
import type { Occurrence } from '@cds/hooks-store';
import { CdsError, type HookConfig } from '@cds/wire';
import { LRUCache } from 'lru-cache';

/** Schedules are read once for each expression and zone, while no more of them are in use. */
const known = new LRUCache<string, Schedule>({ max: 1_000 });

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
  const before = known.get(text);
  if (before) return before;
  const schedule = readSchedule(config?.cron?.value ?? '', config?.timezone?.value ?? '');
  known.set(text, schedule);
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
