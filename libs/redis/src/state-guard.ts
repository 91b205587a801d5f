import type { Redis } from 'ioredis';
import { createDueLoop } from './due-loop';
import { ALIVE_MS, type ClaimHow, type StateClaim } from './state-mark';

/** What is known of the state in Redis. */
export type StateStatus =
  /** Redis was not asked yet, or there is no state yet. */
  | { kind: 'unknown' }
  | { kind: 'ours' }
  /** Another owner's by name; it may be ours all the same. */
  | { kind: 'unproven' }
  /** Nothing proves that it is ours. */
  | { kind: 'foreign' }
  /** Another version of this service wrote it. */
  | { kind: 'unreadable'; format: string };

export interface StateGuardDeps {
  redis: Redis;
  /** Made by `createStateMark`. */
  claim: (how?: ClaimHow) => Promise<StateClaim>;
  /** The format that this version reads, for the log. */
  understood: string;
  /** The name of the service in the configuration and in commands of the engine. */
  service: 'hooks' | 'vcs';
  /** Log message: why nothing proves that the state is ours. Followed by what to do. */
  foreign: string;
  /** Log message: what is waited for. */
  unproven: string;
  logger: Record<'debug' | 'warn' | 'error', (fields: object, message: string) => void>;
  /** Whether a missing state may be made; always when not given. */
  mayMake?: () => boolean;
  /** Whether a proof can be looked for now. */
  mayProve: () => boolean;
  /** @returns fields for the log without a proof. Rejects where it cannot be determined now. */
  prove: () => Promise<'proven' | object>;
  /** After each check that found the state to be ours; `isNew`: there was none. */
  onOurs: (seen: Extract<StateClaim, { kind: 'ours' }>) => Promise<void> | void;
  /** When the state is no longer ours. */
  onLost: () => void;
  /** Called with the result of each check, which writes: undefined, or the error. */
  onWrite: (error: unknown) => void;
  everyMs?: number | undefined;
  /** Time between two searches for a proof (ms). */
  askAgainMs?: number | undefined;
}

const EVERY_MS = 3_000;
const ASK_AGAIN_MS = 60_000;
/** An owner seen for longer beside an empty state is another CDS, and runs. */
const GONE_WITHIN_MS = 2 * ALIVE_MS;

/**
 * Keeps a service from touching a state of another CDS or in another format.
 *
 * A state names its API and token. Where one of them is another now (a new token, another host),
 * the service has to prove that the state is its own. Otherwise it leaves the state alone until an
 * operator adopts it (`engine hooks adopt`, `engine vcs adopt`).
 */
export function createStateGuard(deps: StateGuardDeps) {
  const { redis, claim, service, logger } = deps;
  const { everyMs = EVERY_MS, askAgainMs = ASK_AGAIN_MS } = deps;
  let status: StateStatus = { kind: 'unknown' };
  let askedAt = -Infinity;
  /** Since when the state is empty beside another owner. */
  let emptySince: number | undefined;
  let underWay: Promise<void> | undefined;

  function become(next: StateStatus, fields: object = {}): void {
    const before = status;
    status = next;
    if (before.kind === next.kind) return;
    if (before.kind === 'ours') deps.onLost();
    report(next, fields);
  }

  function report(next: StateStatus, fields: object): void {
    if (next.kind === 'foreign') {
      logger.error(
        { ...fields, keyPrefix: redis.options.keyPrefix, database: redis.options.db },
        `${deps.foreign}: nothing is touched. Give [${service}.cache.redis] a keyPrefix or a ` +
          `dbindex of its own; if it is the state of this CDS, run: engine ${service} adopt`,
      );
    } else if (next.kind === 'unreadable') {
      logger.error(
        { format: next.format, understood: deps.understood },
        `Redis holds a state that another version of ${service} wrote, in a format that this one cannot read: nothing is touched. ` +
          `Start that version, or give [${service}.cache.redis] a keyPrefix of its own`,
      );
    } else if (next.kind === 'unproven') {
      if (emptySince === undefined) return logger.warn({}, deps.unproven);
      logger.warn(
        {},
        `another ${service} used this empty part of Redis within the last minute, or this one under another token: waiting until it is gone`,
      );
    }
  }

  async function look(): Promise<void> {
    let found = await claim((deps.mayMake?.() ?? true) ? 'ask' : 'known');
    if (found.kind === 'other') {
      if (performance.now() - askedAt < askAgainMs) return;
      emptySince = found.isEmpty ? (emptySince ?? performance.now()) : undefined;
      if (emptySince !== undefined && performance.now() - emptySince < GONE_WITHIN_MS)
        return become({ kind: 'unproven' });
      if (status.kind !== 'foreign') become({ kind: 'unproven' });
      if (!deps.mayProve()) return;
      const proof = await deps.prove().catch((error: unknown) => {
        logger.debug({ error }, 'owner of the state in Redis not determined: trying again');
      });
      if (proof === undefined) return;
      if (proof !== 'proven') {
        askedAt = performance.now();
        return become({ kind: 'foreign' }, proof);
      }
      found = await claim('proven');
    }
    return take(found);
  }

  async function take(found: StateClaim): Promise<void> {
    if (found.kind === 'format') return become({ kind: 'unreadable', format: found.format });
    if (found.kind !== 'ours') return;
    askedAt = -Infinity;
    emptySince = undefined;
    become({ kind: 'ours' });
    await deps.onOurs(found);
  }

  function check(): Promise<void> {
    underWay ??= look()
      .then(
        () => deps.onWrite(undefined),
        (error: unknown) => deps.onWrite(error),
      )
      .finally(() => (underWay = undefined));
    return underWay;
  }

  const loop = createDueLoop({
    async runDue() {
      if (redis.status === 'ready') await check();
      return undefined;
    },
    maxSleepMs: everyMs,
    failed: deps.onWrite,
  });

  return {
    status: (): StateStatus => status,

    /** Why nothing may be done; undefined where it may. */
    refusal(): string | undefined {
      switch (status.kind) {
        case 'foreign':
          return 'Redis holds the state of another CDS: see the log';
        case 'unreadable':
          return 'Redis holds the state of another version of this service: see the log';
        case 'unproven':
          return 'it is not known yet whether the state in Redis is that of this CDS: try again later';
        default:
          return undefined;
      }
    },

    /** Looks now, or takes part in a look that is under way. Never rejects. */
    check,

    /** Another part has proven that the state is ours. Rejects while Redis is away. */
    proven: async (): Promise<void> => take(await claim('proven')),

    start: () => loop.start(everyMs),
    stop: () => void loop.stop(),
  };
}
