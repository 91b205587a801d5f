import type { Schedule } from '@cds/cron';
import { type DueScheduler, readConfig, type ReadScheduler } from '@cds/hooks-store';
import { answeredByRedis, createDueLoop } from '@cds/redis';
import { isCdsError } from '@cds/wire';
import type { Resources } from '../../resources';
import { occurrenceOf, scheduleOf, scheduleText } from './scheduled-times';

/** Due times that are taken concurrently. */
const MAX_CONCURRENT = 100;
/** A scheduler may have been added that is due before all known ones. */
const MAX_SLEEP_MS = 500;
/** After times were taken, since there may be more. */
const AGAIN_MS = 5;

/**
 * Stores an execution when a scheduler is due. Every replica tries; a script gives each time to
 * one. This costs one small script every half second and replica, for any number of schedulers.
 */
export function createSchedulerLoop(
  resources: Pick<Resources, 'logger' | 'queues' | 'stores' | 'workMetrics'>,
) {
  const { logger, queues, workMetrics } = resources;
  const store = resources.stores.schedules;

  /** @returns undefined when the scheduler was removed, is invalid, or has another schedule */
  async function readOne(scheduler: ReadScheduler, now: number): Promise<Schedule | undefined> {
    if (scheduler.config === '') {
      await store.makeDue(scheduler, undefined);
      return undefined;
    }
    try {
      const config = readConfig(scheduler.config);
      if (config === undefined) throw new SyntaxError('the configuration is no JSON object');
      const schedule = scheduleOf(config);
      if (scheduler.schedule === scheduleText(config)) return schedule;
      // The replica that changed the task crashed before it changed the due time.
      await store.makeDue({ ...scheduler, schedule: scheduleText(config) }, schedule.next(now));
    } catch (error) {
      if (!isCdsError(error) && !(error instanceof SyntaxError)) throw error;
      await store.makeDue({ ...scheduler, schedule: '' }, undefined);
      logger.error(
        { hook: scheduler.uuid, error },
        'scheduler is invalid and runs no more: correct it in its workflow and save that',
      );
    }
    return undefined;
  }

  async function fireOne(scheduler: ReadScheduler, now: number): Promise<void> {
    const { uuid, due } = scheduler;
    const schedule = await readOne(scheduler, now);
    if (!schedule) return;
    const occurrence = occurrenceOf(schedule, due, now);
    const taken = await store.take(scheduler, occurrence);
    if (taken === 'skipped') {
      workMetrics.schedulerFired('skipped');
      logger.debug({ hook: uuid, due }, 'scheduled run skipped: an earlier one waits');
    }
    if (taken !== 'taken') return;
    queues.hooks.ensureSoon(uuid);
    workMetrics.schedulerFired(occurrence.late ? 'late' : 'on_time');
    if (!occurrence.late) return;
    logger.warn(
      {
        hook: uuid,
        due: new Date(due).toISOString(),
        time: new Date(occurrence.time).toISOString(),
      },
      'scheduled run is late, missed ones before it are skipped: ' +
        'no replica or no Redis was running',
    );
  }

  async function fireDue(due: DueScheduler[], now: number): Promise<void> {
    const schedulers = await store.read(due);
    const results = await Promise.allSettled(
      schedulers.map((scheduler) => fireOne(scheduler, now)),
    );
    // The error of one scheduler does not delay the others.
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length > 0 && failed.length === results.length) throw failed[0]?.reason;
    for (const { reason } of failed)
      logger.warn({ error: reason }, 'failed to take the due time of a scheduler');
  }

  /** @returns the pause before the next call (ms) */
  async function enqueue(): Promise<number> {
    const { now, due: schedulers } = await answeredByRedis(() => store.first(MAX_CONCURRENT));
    const due = schedulers.filter((scheduler) => scheduler.due <= now);
    if (due.length > 0) {
      await answeredByRedis(() => fireDue(due, now));
      return AGAIN_MS;
    }
    return Math.min(...schedulers.map((scheduler) => scheduler.due - now));
  }

  return createDueLoop({
    runDue: enqueue,
    maxSleepMs: MAX_SLEEP_MS,
    failed: (error) => logger.debug({ error }, 'failed to read the schedulers that are due'),
  });
}
