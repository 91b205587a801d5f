import { createSchedule, CronError, type Schedule } from '@cds/cron';
import type { Occurrence } from '@cds/hooks-store';
import { CdsError, type HookConfig } from '@cds/wire';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';

/** Parsed schedules by expression and time zone. */
const known = new LRUCache<string, Schedule>(maxEntries(1_000));

/** The expression and the time zone of a scheduler, as one key. */
export function scheduleText(config: HookConfig | null): string {
  return JSON.stringify([config?.cron?.value ?? '', config?.timezone?.value ?? '']);
}

/** @throws CdsError 400 with the position of the mistake */
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
    if (!(error instanceof CronError)) throw error;
    const key = error.column === undefined ? 'timezone' : 'cron';
    throw new CdsError('wrongRequest', { from: `${key}: ${error.message}`, cause: error });
  }
}

/** A later time counts as missed; up to then every time runs. */
const MISSED_MS = 10_000;

/**
 * What runs for a scheduler that is due since `due`. Of the times missed while every replica or
 * Redis was down, only the last one runs.
 */
export function occurrenceOf(schedule: Schedule, due: number, now: number): Occurrence {
  const late = now - due > MISSED_MS;
  const time = late ? schedule.latest(due, now) : due;
  return { time, next: schedule.next(time), late };
}
