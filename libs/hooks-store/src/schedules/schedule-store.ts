import { randomUUID } from 'node:crypto';
import type { ExecutionState } from '../execution';
import { hookKeys, KEYS, keysOf, SCHEDULE_FIELD } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { readableOf } from '../pipeline-replies';
import { redisNowMs } from '@cds/redis';
import type { Redis } from 'ioredis';
import { type Occurrence, scheduledTask } from './occurrence';
import { MAKE_DUE, READ_DUE, TAKE_DUE } from './schedule-scripts.lua';

export interface DueScheduler {
  uuid: string;
  due: number;
}

/**
 * With its configuration now (JSON) and the schedule by which it is due; both "" when there is no
 * such scheduler.
 */
export interface ReadScheduler extends DueScheduler {
  config: string;
  schedule: string;
}

/** `other`, `early`: no longer due, or not yet. */
export type TakenDue = 'other' | 'early' | 'skipped' | 'taken';

/**
 * Pending executions of one scheduler. Later times are skipped: such a slow API never catches up.
 */
const MAX_WAITING = 100;

export type ScheduleStore = ReturnType<typeof createScheduleStore>;

/** When each scheduler is due next, by the clock of Redis: replicas with different clocks agree. */
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
    now: (): Promise<number> => redisNowMs(redis),

    /** The next ones, and the clock. */
    async first(count: number): Promise<{ now: number; schedulers: DueScheduler[] }> {
      const { now, due } = await readDue(KEYS, { count });
      return { now, schedulers: due };
    },

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
     * Makes a scheduler due, unless it is due by the same schedule. A stopped or removed one is not
     * due afterwards; another configuration changes nothing.
     * @param next ms; undefined when its schedule has ended
     */
    async makeDue(
      scheduler: Pick<ReadScheduler, 'uuid' | 'config' | 'schedule'>,
      next: number | undefined,
    ): Promise<void> {
      const { uuid, config, schedule } = scheduler;
      const args = { uuid, config, schedule, next: next ?? '' };
      await keyRepair.hook(uuid, () => makeDue(keysOf(uuid), args));
    },

    /** Takes its time: enqueues an execution, or stores an ended one with the state `ended`. */
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

    /** When it is due (ms), if it is. */
    async dueAt(uuid: string): Promise<number | undefined> {
      const due = await redis.zscore(KEYS.due, uuid);
      return due === null ? undefined : Number(due);
    },
  };
}
