import type { Redis } from 'ioredis';
import { whyNoWrites } from './why-no-writes';

/**
 * Between two writes that a service makes for no other reason (ms): as often as `hooks` writes
 * whose its state is.
 */
const EVERY_MS = 3_000;
/** Such a write is short-lived, so that nothing is left of a replica that is gone (ms). */
const KEPT_MS = 60_000;

export interface WritesDeps {
  logger: { error(fields: object, message: string): void };
  /** The log's message: what does not work meanwhile. */
  loss: string;
}

/** Whether Redis takes writes, as the writes of this process tell. */
export interface Writes {
  /** How a write ended: undefined, or the error. */
  note(error: unknown): void;
  /** Why Redis refused one, until it takes one again; undefined where it takes them. */
  refusal(): string | undefined;
}

/**
 * Logs one ERROR for each reason for which Redis begins to refuse writes. PING and reads tell
 * nothing of that.
 */
export function createWrites({ logger, loss }: WritesDeps): Writes {
  let why: string | undefined;
  return {
    note(error) {
      const refused = whyNoWrites(error);
      // What broke off tells nothing: a read-only replica is left at each refusal, for a new
      // connection.
      if (refused === why || (refused === undefined && error !== undefined)) return;
      why = refused;
      if (why !== undefined) logger.error({ why }, loss);
    },
    refusal: () => why,
  };
}

/**
 * The same for a service that may write nothing for hours: writes one small key every 3 s, while
 * there is a connection.
 *
 * Not at each new connection: a read-only replica is left at each write, for a new connection.
 *
 * @param after when it begins
 * @param key what stands in it says nothing, so replicas may share it
 */
export function watchWrites(
  redis: Redis,
  { key, after, ...deps }: WritesDeps & { key: string; after: Promise<void> },
): Writes & { stop(): void } {
  const writes = createWrites(deps);
  let underWay: Promise<void> | undefined;

  function write(): void {
    if (redis.status !== 'ready') return;
    underWay ??= redis
      .set(key, '', 'PX', KEPT_MS)
      .then(() => writes.note(undefined), writes.note)
      .finally(() => (underWay = undefined));
  }

  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  void after.then(() => {
    if (stopped) return;
    write();
    timer = setInterval(write, EVERY_MS).unref();
  });
  return {
    ...writes,
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
