import type { Redis } from 'ioredis';
import { memberKey, REFERENCE_TASKS, referenceExecutions } from './reference-keys';
import {
  type Read,
  readRecord,
  type ReferenceExecution,
  referenceExecution,
  type ReferenceTask,
  referenceTask,
} from './reference-records';

export interface StoredTask {
  uuid: string;
  key: string;
  task: Read<ReferenceTask>;
}

export interface StoredReferenceExecution {
  /** Nanoseconds, to the letter. */
  timestamp: string;
  key: string;
  execution: Read<ReferenceExecution>;
}

/** Asked for in one step of a scan. */
const SCANNED = 200;
/** Executions hold the bodies of deliveries. */
const EXECUTIONS_AT_ONCE = 20;

export type Reference = ReturnType<typeof createReference>;

/** Reads the Redis of CDS's own hooks, some entries at a time, and writes nothing. */
export function createReference({ redis }: { redis: Redis }) {
  /** A scan may show a member twice. */
  async function* members(set: string): AsyncGenerator<string[]> {
    const seen = new Set<string>();
    let cursor = '0';
    do {
      const [next, found] = await redis.zscan(set, cursor, 'COUNT', SCANNED);
      cursor = next;
      const fresh = found.filter((member, index) => index % 2 === 0 && !seen.has(member));
      for (const member of fresh) seen.add(member);
      if (fresh.length > 0) yield fresh;
    } while (cursor !== '0');
  }

  return {
    /** Whether there is something that CDS's own hooks would read. */
    async isThere(): Promise<boolean> {
      return (await redis.type(REFERENCE_TASKS)) === 'zset';
    },

    async *tasks(): AsyncGenerator<StoredTask[]> {
      for await (const uuids of members(REFERENCE_TASKS)) {
        const keyed = uuids.map((uuid) => ({ uuid, key: memberKey(REFERENCE_TASKS, uuid) }));
        const texts = await redis.mget(keyed.map(({ key }) => key));
        yield keyed.map((each, at) => ({ ...each, task: readTask(each.uuid, texts[at]) }));
      }
    },

    /** Timestamps (ns) of a task's executions, the oldest first. */
    async timestamps(type: string, uuid: string): Promise<string[]> {
      const all: string[] = [];
      for await (const found of members(referenceExecutions(type, uuid))) all.push(...found);
      return all.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    },

    async *executions(
      type: string,
      uuid: string,
      timestamps: string[],
    ): AsyncGenerator<StoredReferenceExecution> {
      const set = referenceExecutions(type, uuid);
      for (let i = 0; i < timestamps.length; i += EXECUTIONS_AT_ONCE) {
        const chunk = timestamps.slice(i, i + EXECUTIONS_AT_ONCE);
        const keys = chunk.map((timestamp) => memberKey(set, timestamp));
        const texts = await redis.mget(keys);
        for (const [index, timestamp] of chunk.entries()) {
          const execution = /^[1-9]\d{15,18}$/.test(timestamp)
            ? readRecord(referenceExecution, texts[index])
            : ({ ok: false, reason: 'its key does not end in a timestamp' } as const);
          yield { timestamp, key: keys[index] ?? '', execution };
        }
      }
    },
  };
}

function readTask(uuid: string, json: string | null | undefined): Read<ReferenceTask> {
  const read = readRecord(referenceTask, json);
  if (read.ok && read.value.uuid !== uuid)
    return { ok: false, reason: 'it holds the uuid of another task' };
  return read;
}
