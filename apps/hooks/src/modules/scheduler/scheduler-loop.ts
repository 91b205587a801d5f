import type { Schedule } from '@cds/cron';
import type { Logger } from '@cds/service';
import {
  readConfig,
  type DueScheduler,
  type ReadScheduler,
  type ScheduleStore,
} from '@cds/hooks-store';
import { isCdsError } from '@cds/wire';
import { answeredByRedis, createDueLoop, type DueLoop } from '@cds/redis';
import type { HookQueue } from '../../queue/hook-queue';
import { occurrenceOf, scheduleOf, scheduleText } from './scheduled-times';

export interface SchedulerLoopDeps {
  store: ScheduleStore;
  hookQueue: Pick<HookQueue, 'ensureSoon'>;
  logger: Logger;
  /** Told of each time that this replica took. */
  fired?: (result: 'on_time' | 'late' | 'skipped') => void;
}

export type SchedulerLoop = Pick<DueLoop, 'start' | 'stop'>;

/** Taken side by side. */
const AT_ONCE = 100;
/** The longest sleep: by then a scheduler may have been added that is due before all that were known. */
const MAX_SLEEP_MS = 500;
/** After times were taken: there may be more. */
const AGAIN_MS = 5;

/**
 * Takes the times of schedulers as they come. Every replica does, each sleeping until the first one is due: the script that
 * takes a time lets one of them have it.
 *
 * It costs one small script of Redis every half second and replica, whatever the number of schedulers.
 */
export function createSchedulerLoop(deps: SchedulerLoopDeps): SchedulerLoop {
  const { store, hookQueue, logger, fired } = deps;

  /** @returns undefined when there is nothing to run: it is gone, cannot be read, or is due by another schedule */
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
      // Whoever changed it died before he said so.
      await store.makeDue({ ...scheduler, schedule: scheduleText(config) }, schedule.next(now));
    } catch (error) {
      if (!isCdsError(error) && !(error instanceof SyntaxError)) throw error;
      await store.makeDue({ ...scheduler, schedule: '' }, undefined);
      logger.error(
        { hook: scheduler.uuid, error },
        'a scheduler cannot be read and does not run any more: correct it in its workflow and save that',
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
      fired?.('skipped');
      logger.debug({ hook: uuid, due }, 'a time is left out: an earlier run waits for the API');
    }
    if (taken !== 'taken') return;
    hookQueue.ensureSoon(uuid);
    fired?.(occurrence.late ? 'late' : 'on_time');
    if (!occurrence.late) return;
    logger.warn(
      {
        hook: uuid,
        due: new Date(due).toISOString(),
        time: new Date(occurrence.time).toISOString(),
      },
      'a scheduled run is late, and those missed before it are left out: neither a replica nor Redis was there at its time',
    );
  }

  async function fireDue(due: DueScheduler[], now: number): Promise<void> {
    const schedulers = await store.read(due);
    const results = await Promise.allSettled(
      schedulers.map((scheduler) => fireOne(scheduler, now)),
    );
    // What is wrong with one scheduler must not hold up the others.
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length > 0 && failed.length === results.length) throw failed[0]?.reason;
    for (const { reason } of failed)
      logger.warn({ error: reason }, 'the time of a scheduler could not be taken');
  }

  /** @returns how long to sleep (ms) */
  async function enqueue(): Promise<number> {
    const { now, schedulers } = await answeredByRedis(() => store.first(AT_ONCE));
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
    failed: (error) => logger.debug({ error }, 'no scheduler is looked at: Redis does not answer'),
  });
}
