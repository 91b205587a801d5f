import { randomUUID } from 'node:crypto';
import type { ScheduledTask } from '@cds/wire';
import type { ExecutionState } from '../execution';
import { hookKeys, KEYS, SCHEDULE_FIELD } from '../redis-keys';
import type { KeyRepair } from '../unreadable/set-aside';
import { createHookScripts } from '../hook-scripts';
import { readableOf } from '../pipeline-replies';
import { redisNowMs } from '@cds/redis';
import type { Redis } from 'ioredis';
import { MAKE_DUE, READ_DUE, TAKE_DUE } from './schedule-scripts.lua';

export interface DueScheduler {
  uuid: string;
  due: number;
}

/** With its configuration now (JSON) and the schedule by which it is due; "" without such one. */
export interface ReadScheduler extends DueScheduler {
  config: string;
  schedule: string;
}

/** A due time of a scheduler. */
export interface Occurrence {
  time: number;
  next: number | undefined;
  /** Whether earlier ones are skipped, since no replica was there to run them. */
  late: boolean;
}

/** The time in an execution, as Go writes it. */
export function scheduledTask(time: number): ScheduledTask {
  const [day, clock] = new Date(time).toISOString().split(/[T.]/);
  return { date_scheduled_execution: `${day} ${clock} +0000 UTC` };
}

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
  const { redis, executionHistory } = deps;
  const run = createHookScripts(deps);
  const readDue = READ_DUE.on(redis);

  return {
    now: (): Promise<number> => redisNowMs(redis),

    /** The next ones, and the clock. */
    first: (count: number) => readDue(KEYS, { count }),

    async read(schedulers: DueScheduler[]): Promise<ReadScheduler[]> {
      const pipeline = redis.pipeline();
      for (const { uuid } of schedulers) {
        pipeline.hmget(hookKeys(uuid).task, 'type', 'config', SCHEDULE_FIELD);
      }
      const replies = (await readableOf(pipeline)) as ((string | null)[] | undefined)[];
      return schedulers.map((scheduler, index) => {
        const [type, ...stored] = replies[index] ?? [];
        const [config, schedule] = type === 'Scheduler' ? stored : [];
        return { ...scheduler, config: config ?? '', schedule: schedule ?? '' };
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
      await run(MAKE_DUE, uuid, { uuid, config, schedule, next: next ?? '' });
    },

    /** Takes its time: enqueues an execution, or stores an ended one with the state `ended`. */
    take({ uuid, due, config }: ReadScheduler, { time, next }: Occurrence, ended?: ExecutionState) {
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
      return run(TAKE_DUE, uuid, args);
    },

    /** When it is due (ms), if it is. */
    async dueAt(uuid: string): Promise<number | undefined> {
      const due = await redis.zscore(KEYS.due, uuid);
      return due === null ? undefined : Number(due);
    },
  };
}
