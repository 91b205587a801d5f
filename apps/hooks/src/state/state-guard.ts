import type { CdsApiClient } from '@cds/api-client';
import { createHooksStateMark, KEYS, STATE_FORMAT } from '@cds/hooks-store';
import type { Logger, Registration } from '@cds/service';
import type { Redis } from 'ioredis';
import { errorText } from '../error-text';

/** What is known of the state in Redis. */
export type StateStatus =
  /** Redis was not asked yet. */
  | { kind: 'unknown' }
  | { kind: 'ours'; synchronizedAt: number | undefined }
  /** The API has to list its hooks first. */
  | { kind: 'unproven' }
  /** The API lists none of the tasks. @param listed hooks of the API */
  | { kind: 'foreign'; listed: number }
  /** Another version of this service wrote it. */
  | { kind: 'unreadable'; format: string };

export interface StateGuardDeps {
  redis: Redis;
  /** Names of the CDS that this service works for. */
  owner: readonly string[];
  api: Pick<CdsApiClient, 'workflowHooks'>;
  registration: Pick<Registration, 'registered'>;
  logger: Logger;
  /** After each look that found the state to be ours; `isNew`: there was none. */
  onOurs: (seen: { isNew: boolean; synchronizedAt: number | undefined }) => Promise<void>;
  /** When it is no longer ours to touch. */
  onLost: () => void;
  /** Told how each look ended, which writes: undefined, or the error. */
  onWrite: (error: unknown) => void;
  everyMs?: number;
  /** How long a state that is another's is left alone before the API is asked again (ms). */
  askAgainMs?: number;
}

const EVERY_MS = 3_000;
const ASK_AGAIN_MS = 60_000;

export type StateGuard = ReturnType<typeof createStateGuard>;

/**
 * Sees to it that this service touches no state but that of its own CDS, in a format that it can
 * read.
 *
 * A state says for which API and token it was made. Where both or one of them are others now (a new
 * token, another host), the hooks that the API lists tell: one of them among the tasks is enough.
 * Else the state is left alone, until an operator says otherwise (`engine hooks adopt`).
 */
export function createStateGuard(deps: StateGuardDeps) {
  const { redis, logger, everyMs = EVERY_MS, askAgainMs = ASK_AGAIN_MS } = deps;
  const claim = createHooksStateMark(redis, deps.owner);
  let status: StateStatus = { kind: 'unknown' };
  let askedAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let stopped = false;

  function become(next: StateStatus): void {
    const before = status;
    status = next;
    if (before.kind === next.kind) return;
    if (before.kind === 'ours') deps.onLost();
    tellOf(next);
  }

  function tellOf(next: StateStatus): void {
    if (next.kind === 'foreign') {
      logger.error(
        { hooksOfApi: next.listed, keyPrefix: redis.options.keyPrefix, database: redis.options.db },
        'Redis holds the state of another CDS, of which the API lists no hook: nothing is touched. ' +
          'Give [hooks.cache.redis] a keyPrefix or a dbindex of its own; if it is the state of this CDS, run: engine hooks adopt',
      );
    } else if (next.kind === 'unreadable') {
      logger.error(
        { format: next.format, understood: STATE_FORMAT },
        'Redis holds a state that another version of hooks wrote, in a format that this one cannot read: nothing is touched. ' +
          'Start that version, or give [hooks.cache.redis] a keyPrefix of its own',
      );
    } else if (next.kind === 'unproven') {
      logger.warn(
        {},
        'the API or the token is another than that of the state in Redis: waiting for the hooks of the API',
      );
    }
  }

  async function isListed(uuids: string[]): Promise<boolean> {
    return uuids.length > 0 && (await redis.smismember(KEYS.tasks, ...uuids)).includes(1);
  }

  /**
   * Whether one of the hooks that the API lists is among the tasks. @returns how many it lists
   * where none is
   */
  async function prove(): Promise<'proven' | number> {
    let listed = 0;
    for await (const hooks of deps.api.workflowHooks()) {
      listed += hooks.length;
      if (await isListed(hooks.map(({ uuid }) => uuid))) return 'proven';
    }
    return listed;
  }

  async function look(): Promise<void> {
    let found = await claim();
    if (found.kind === 'other') {
      if (performance.now() - askedAt < askAgainMs) return;
      if (status.kind !== 'foreign') become({ kind: 'unproven' });
      if (!deps.registration.registered) return;
      const proof = await prove().catch((error: unknown) => {
        logger.debug({ error: errorText(error) }, 'the hooks of the API could not be read');
      });
      if (proof === undefined) return;
      if (proof !== 'proven') {
        askedAt = performance.now();
        return become({ kind: 'foreign', listed: proof });
      }
      found = await claim('proven');
    }
    if (found.kind === 'format') return become({ kind: 'unreadable', format: found.format });
    if (found.kind === 'ours') {
      const { isNew, synchronizedAt } = found;
      askedAt = -Infinity;
      become({ kind: 'ours', synchronizedAt });
      await deps.onOurs({ isNew, synchronizedAt });
    }
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

  function schedule(): void {
    timer = setTimeout(() => {
      const looked = redis.status === 'ready' ? check() : Promise.resolve();
      void looked.finally(() => {
        if (!stopped) schedule();
      });
    }, everyMs).unref();
  }

  return {
    status: (): StateStatus => status,

    /** Why nothing may be done for anybody; undefined where it may. */
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

    start: schedule,

    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
