import type { Redis } from 'ioredis';

/** A configuration value as Go writes it. */
const value = (text: string) => ({
  value: text,
  configurable: false,
  type: '',
  multiple_choice_list: null,
});

export interface ReferenceExecutionOptions {
  type: string;
  uuid: string;
  /** Nanoseconds, to the letter: they are beyond what JavaScript's integers hold. */
  timestamp: string;
  config?: Record<string, string>;
  status?: string;
  nbErrors?: number;
  lastError?: string;
  /** Nanoseconds. */
  processed?: string;
  webhook?: {
    headers?: Record<string, string>;
    body?: string | Buffer | undefined;
    query?: string;
  };
  /** Of a scheduled one. */
  scheduled?: string;
}

/**
 * Writes to Redis what the hooks of CDS 0.41 does (engine/hooks/dao.go, engine/api/cache/redis.go):
 * a sorted set of members, scored by the time in nanoseconds as a float, and each member's JSON
 * under the set's key, a colon and the member; timestamps are whole numbers of nanoseconds.
 */
export function referenceHooks(redis: Redis) {
  async function setAdd(set: string, member: string, json: string): Promise<void> {
    await redis.zadd(set, Date.now() * 1e6, member);
    await redis.set(`${set}:${member}`, json);
  }

  const configOf = (config: Record<string, string>) =>
    Object.fromEntries(Object.entries(config).map(([name, text]) => [name, value(text)]));

  const reference = {
    setAdd,

    async task(
      type: string,
      uuid: string,
      config: Record<string, string> | null,
      stopped = false,
    ): Promise<void> {
      const task = {
        uuid,
        type,
        config: config && configOf(config),
        stopped,
        executions: null,
        nb_executions_total: 0,
        nb_executions_todo: 0,
      };
      await setAdd('hooks:tasks', uuid, JSON.stringify(task));
    },

    async execution(o: ReferenceExecutionOptions): Promise<void> {
      const { timestamp, webhook, scheduled } = o;
      const execution = {
        uuid: o.uuid,
        type: o.type,
        timestamp: '#timestamp',
        nb_errors: o.nbErrors ?? 0,
        ...(o.lastError ? { last_error: o.lastError } : {}),
        processing_timestamp: '#processed',
        workflow_run: 0,
        config: configOf(o.config ?? {}),
        ...(webhook && {
          webhook: {
            request_url: webhook.query ?? '',
            request_body: Buffer.from(webhook.body ?? '').toString('base64'),
            request_header: Object.fromEntries(
              Object.entries(webhook.headers ?? {}).map(([name, text]) => [name, [text]]),
            ),
            request_method: '',
          },
        }),
        ...(scheduled && { scheduled_task: { date_scheduled_execution: scheduled } }),
        status: o.status ?? '',
      };
      const json = JSON.stringify(execution)
        .replace('"#timestamp"', timestamp)
        .replace('"#processed"', o.processed ?? '0');
      const set = `hooks:tasks:executions:${o.type}:${o.uuid}`;
      await setAdd(set, timestamp, json);
    },

    /** In the queue of what is worked off next: last in, first out at the other end. */
    async enqueue(type: string, uuid: string, timestamp: string): Promise<void> {
      const key = `hooks:tasks:executions:${type}:${uuid}:${timestamp}`;
      await redis.lpush('hooks:scheduler:queue', JSON.stringify(key));
    },

    /**
     * The removal of a deleted branch's runs, 24 hours after the deletion.
     *
     * @param due nanoseconds
     */
    async branchDeletion(
      of: { project: string; workflow: string; branch: string; due: string; stopped?: boolean },
      id: string,
      state: Partial<ReferenceExecutionOptions> = {},
    ): Promise<string> {
      const uuid = `${of.branch}-${id}`;
      const config = { project: of.project, workflow: of.workflow, branch: of.branch };
      const type = 'BranchDeletion';
      await reference.task(type, uuid, config, of.stopped);
      await reference.execution({
        ...{ type, uuid, config, timestamp: of.due, status: 'SCHEDULED' },
        scheduled: '2026-11-27 10:00:00.123456789 +0000 UTC m=+86412.345678901',
        ...state,
      });
      return uuid;
    },

    /** Every key with its value as it lies in Redis, to see that nothing was written. */
    async dump(pattern = 'hooks:*'): Promise<Record<string, string>> {
      const keys = (await redis.keys(pattern)).sort();
      const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
      return Object.fromEntries(keys.map((key, i) => [key, dumps[i]?.toString('hex') ?? '']));
    },
  };
  return reference;
}

export type ReferenceHooks = ReturnType<typeof referenceHooks>;
