import { createHash, randomUUID } from 'node:crypto';
import type { Logger } from '@cds/service';
import { defineScript, vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { repositoryEventSchema, type RepositoryEvent } from './repository-event';
import { snapshotSchema, type Snapshot } from './repository-state';

/** A repository that nobody polls for so long is forgotten: its next look is its first. */
const TTL_SECONDS = 30 * 24 * 60 * 60;
/** Events of one repository; the oldest give way. */
const MAX_EVENTS = 5_000;
/**
 * The clock of the service that polls may be so far ahead of Redis's. The API leaves out commits
 * that have a run.
 */
const MAX_CLOCK_SKEW_SECONDS = 60;

/**
 * KEYS: snapshot (hash), events (stream). ARGV: version that was read ('' for none), new version,
 * snapshot, seconds to keep, most events, then each event. Writes nothing and returns 0 when
 * somebody else has looked since.
 */
const RECORD = `
if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'snapshot', ARGV[3])
for i = 6, #ARGV do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'event', ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1`;

/** What was seen of a repository at the last look. */
export interface Seen {
  /** Names this look, so that two at once do not both count. */
  version: string;
  /** Undefined before the first look. */
  snapshot?: Snapshot;
}

/**
 * What was seen of each repository, and what happened since: for all replicas and for all workflows
 * that poll it, at different times. Events carry the time of Redis. Every method rejects when Redis
 * does not answer.
 */
export interface EventLog {
  read(repository: string): Promise<Seen>;
  /** @returns false, and nothing is kept, when somebody else has looked since `seen` was read */
  record(
    repository: string,
    seen: Seen,
    now: Snapshot,
    events: readonly RepositoryEvent[],
  ): Promise<boolean>;
  /**
   * Those that were found in `sinceSeconds` (since 1970) or later, or up to a minute before, oldest
   * first.
   */
  since(repository: string, sinceSeconds: number): Promise<RepositoryEvent[]>;
}

export function createEventLog(deps: { redis: Redis; logger: Logger }): EventLog {
  const { redis, logger } = deps;
  const record = defineScript(redis, 'record-events', RECORD, 2);

  return {
    async read(repository) {
      const [version, text] = await redis.hmget(
        vcsKeys.snapshot(repository),
        'version',
        'snapshot',
      );
      if (!version || !text) return { version: '' };
      const snapshot = parsed(snapshotSchema, text);
      // The look that follows is the first one anew.
      if (!snapshot)
        logger.warn({ repository }, 'what was last seen of a repository is unreadable');
      return snapshot ? { version, snapshot } : { version };
    },
    async record(repository, seen, now, events) {
      const reply = await record(
        [vcsKeys.snapshot(repository), vcsKeys.events(repository)],
        [
          seen.version,
          randomUUID(),
          JSON.stringify(now),
          TTL_SECONDS,
          MAX_EVENTS,
          ...events.map((event) => JSON.stringify(event)),
        ],
      );
      return reply === 1;
    },
    async since(repository, sinceSeconds) {
      const start = String(Math.max(0, Math.floor(sinceSeconds) - MAX_CLOCK_SKEW_SECONDS) * 1_000);
      const entries = await redis.xrange(vcsKeys.events(repository), start, '+');
      return entries.flatMap(([, fields]) => {
        const event = parsed(repositoryEventSchema, fields[1] ?? '');
        if (!event) logger.warn({ repository }, 'a kept event of a repository is unreadable');
        return event ? [event] : [];
      });
    },
  };
}

/** Undefined for what is no JSON, or of another shape. */
function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Under which name a repository is kept: with its server, since two can have one of the same name.
 */
export function repositoryKey(server: string, fullName: string): string {
  const identity = JSON.stringify([server, fullName.toLowerCase()]);
  return createHash('sha256').update(identity).digest('hex');
}
