import { randomUUID } from 'node:crypto';
import type { ExecutionState } from '../execution';
import { hookKeys, KEYS, keysOf, SCHEDULE_FIELD } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { readableOf } from '../pipeline-replies';
import { redisNowMs } from '@cds/redis';
import type { Redis } from 'ioredis';
import { type Occurrence, scheduledTask } from './occurrence';
import { MAKE_DUE, READ_DUE, TAKE_DUE } from './schedule-scripts.lua';

/** A scheduler that is due, or will be. */
export interface DueScheduler {
  uuid: string;
  /** Milliseconds. */
  due: number;
}

/**
 * The same with its configuration now (JSON) and the schedule by which it is due; both empty when
 * there is no such scheduler.
 */
export interface ReadScheduler extends DueScheduler {
  config: string;
  schedule: string;
}

/** `other`, `early`: not to be taken any more, or not yet. */
export type TakenDue = 'other' | 'early' | 'skipped' | 'taken';

/**
 * Executions of one scheduler that may wait. Times beyond are left out: an API that is so slow
 * never catches up.
 */
const MAX_WAITING = 100;

export type ScheduleStore = ReturnType<typeof createScheduleStore>;

/**
 * When each scheduler is due next, in Redis, by the clock of Redis: replicas whose clocks differ
 * agree on it.
 */
export function createScheduleStore(deps: {
  redis: Redis;
  executionHistory: number;
  keyRepair?: KeyRepair;
}) {
  const { redis, executionHistory, keyRepair = NO_KEY_REPAIR } = deps;
  const readDue = READ_DUE.on(redis);
  const makeDue = MAKE_DUE.on(redis);
  const takeDue = TAKE_DUE.on(redis);

  return {
    /** The clock (ms). */
    now: (): Promise<number> => redisNowMs(redis),

    /** Those that are due first, whenever that is, and the clock. */
    async first(count: number): Promise<{ now: number; schedulers: DueScheduler[] }> {
      const { now, due } = await readDue(KEYS, { count });
      return { now, schedulers: due };
    },

    /** With what is needed to take their times. */
    async read(schedulers: DueScheduler[]): Promise<ReadScheduler[]> {
      const pipeline = redis.pipeline();
      for (const { uuid } of schedulers) {
        pipeline.hmget(hookKeys(uuid).task, 'type', 'config', SCHEDULE_FIELD);
      }
      const replies = (await readableOf(pipeline)) as ((string | null)[] | undefined)[];
      return schedulers.map((scheduler, index) => {
        const [type, config, schedule] = replies[index] ?? [];
        return type === 'Scheduler'
          ? { ...scheduler, config: config ?? '', schedule: schedule ?? '' }
          : { ...scheduler, config: '', schedule: '' };
      });
    },

    /**
     * Makes a scheduler due at this time, unless it is due by the same schedule already. One that
     * is stopped or removed is not due afterwards, and with one whose configuration is another
     * nothing happens.
     * @param next ms; undefined when its schedule has no time any more
     */
    async makeDue(
      scheduler: Pick<ReadScheduler, 'uuid' | 'config' | 'schedule'>,
      next: number | undefined,
    ): Promise<void> {
      const { uuid, config, schedule } = scheduler;
      const args = { uuid, config, schedule, next: next ?? '' };
      await keyRepair.hook(uuid, () => makeDue(keysOf(uuid), args));
    },

    /**
     * Takes its time: an execution waits, or is in the history where `ended` is the state that an
     * operator gave it.
     */
    async take(
      { uuid, due, config }: ReadScheduler,
      { time, next }: Occurrence,
      ended?: ExecutionState,
    ): Promise<TakenDue> {
      const args = {
        uuid,
        due,
        config,
        time,
        next: next ?? '',
        scheduledTask: JSON.stringify(scheduledTask(time)),
        maxWaiting: MAX_WAITING,
        endedState: ended ? JSON.stringify(ended) : '',
        history: executionHistory,
        requestId: randomUUID(),
      };
      return keyRepair.hook(uuid, () => takeDue(keysOf(uuid), args));
    },

    /** When it is due (ms); undefined when it is not. */
    async dueAt(uuid: string): Promise<number | undefined> {
      const due = await redis.zscore(KEYS.due, uuid);
      return due === null ? undefined : Number(due);
    },
  };
}
