import { hash, randomUUID } from 'node:crypto';
import type { Logger } from '@cds/service';
import { defineScript, replies, vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';
import { vcsCommitSchema, vcsPullRequestSchema } from '@cds/wire';
import * as z from 'zod';
import { snapshotSchema, type Snapshot } from './repository-state';

/** The time after which a repository is forgotten that is not polled. */
const TTL_SECONDS = 30 * 24 * 60 * 60;
/** Events of one repository, the newest. */
const MAX_EVENTS = 5_000;
/** Clock skew between `hooks` and Redis. An event that comes twice does no harm. */
const MAX_CLOCK_SKEW_SECONDS = 60;

/** A change in a repository. The API receives it and returns it unchanged. */
export const repositoryEventSchema = z.discriminatedUnion('kind', [
  /** `ref` is whole: `refs/heads/NAME` or `refs/tags/NAME`. */
  z.object({ kind: z.enum(['create', 'push']), ref: z.string(), commit: vcsCommitSchema }),
  z.object({ kind: z.literal('delete'), ref: z.string() }),
  z.object({
    kind: z.literal('pullrequest'),
    action: z.enum(['opened', 'edited']),
    pullRequest: vcsPullRequestSchema,
  }),
]);
export type RepositoryEvent = z.infer<typeof repositoryEventSchema>;

/** Stores a snapshot and its events, and returns 1, unless another poll stored one since `read`. */
const RECORD_EVENTS = defineScript({
  name: 'cdsbbRecordEvents',
  keys: ['snapshot', 'events'],
  args: ['read', 'version', 'snapshot', 'ttlSeconds', 'maxEvents'],
  each: ['event'],
  reply: replies.flag,
  lua: (K, A, EACH) => `
if (redis.call('HGET', ${K.snapshot}, 'version') or '') ~= ${A.read} then return 0 end
redis.call('HSET', ${K.snapshot}, 'version', ${A.version}, 'snapshot', ${A.snapshot})
for i = ${EACH.range} do
  redis.call('XADD', ${K.events}, 'MAXLEN', '~', ${A.maxEvents}, '*', 'event', ${EACH.event})
end
redis.call('EXPIRE', ${K.snapshot}, ${A.ttlSeconds})
redis.call('EXPIRE', ${K.events}, ${A.ttlSeconds})
return 1`,
});

/** The snapshot of the last poll of a repository. */
export interface LastPoll {
  /** Differs after every poll, so that only one of two concurrent polls counts. */
  version: string;
  /** Undefined before the first poll. */
  snapshot?: Snapshot;
}

export type EventLog = ReturnType<typeof createEventLog>;

/**
 * The last snapshot and the events of each repository, for all replicas and workflows. Events carry
 * the time of Redis. Every method rejects while Redis is away.
 */
export function createEventLog({ redis, logger }: { redis: Redis; logger: Logger }) {
  const recordEvents = RECORD_EVENTS.on(redis);

  return {
    async read(repository: string): Promise<LastPoll> {
      const [version, text] = await redis.hmget(
        vcsKeys.snapshot(repository),
        'version',
        'snapshot',
      );
      if (!version || !text) return { version: '' };
      const snapshot = parsed(snapshotSchema, text);
      // The next poll counts as the first.
      if (!snapshot)
        logger.warn({ repository }, 'snapshot of a repository cannot be read: starting anew');
      return snapshot ? { version, snapshot } : { version };
    },
    /** @returns false, and stores nothing, when another poll stored a snapshot after `last` */
    record(
      repository: string,
      last: LastPoll,
      now: Snapshot,
      events: readonly RepositoryEvent[],
    ): Promise<boolean> {
      return recordEvents(
        { snapshot: vcsKeys.snapshot(repository), events: vcsKeys.events(repository) },
        {
          read: last.version,
          version: randomUUID(),
          snapshot: JSON.stringify(now),
          ttlSeconds: TTL_SECONDS,
          maxEvents: MAX_EVENTS,
        },
        events.map((event) => ({ event: JSON.stringify(event) })),
      );
    },
    /** Events since `sinceSeconds` (since 1970), or up to a minute before, oldest first. */
    async since(repository: string, sinceSeconds: number): Promise<RepositoryEvent[]> {
      const start = String(Math.max(0, Math.floor(sinceSeconds) - MAX_CLOCK_SKEW_SECONDS) * 1_000);
      const entries = await redis.xrange(vcsKeys.events(repository), start, '+');
      return entries.flatMap(([, fields]) => {
        const event = parsed(repositoryEventSchema, fields[1] ?? '');
        if (!event) logger.warn({ repository }, 'event of a repository cannot be read: left out');
        return event ? [event] : [];
      });
    },
  };
}

/** Undefined for invalid JSON, or another shape. */
function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Names a repository of a server in Redis. */
export function repositoryKey(server: string, fullName: string): string {
  return hash('sha256', JSON.stringify([server, fullName.toLowerCase()]));
}
