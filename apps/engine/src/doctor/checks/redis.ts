import { formatRedisAddress, type RedisConfig, type ServiceName } from '@cds/config';
import { READY_KEY } from '@cds/hooks-store';
import {
  connectRedis,
  evictionWarning,
  isInClusterMode,
  persistenceWarning,
  redisInfo,
  vcsKeys,
  whenReady,
  whyNoWrites,
} from '@cds/redis';
import type { Redis } from 'ioredis';
import { reasonOf } from '../../command-error';
import { type Check, failed, ok, type Outcome, skipped, warning } from '../finding';
import { missingRights } from './redis-rights';

/** A Redis of the configuration. */
export type RedisTarget = ReturnType<typeof redisTarget>;

const READY_KEYS = { vcs: vcsKeys.ready, hooks: READY_KEY };

const ABSENT = /^Redis cannot be reached/;

/** Connects in the background. */
export function redisTarget(services: readonly ServiceName[], config: RedisConfig) {
  let reason: string | undefined;
  const logger = {
    info: () => undefined,
    warn(fields: object, message: string) {
      const why = 'reason' in fields ? String(fields.reason) : '';
      // What the services themselves would log, with what to do.
      reason = ABSENT.test(message) ? why : `${message} (${why})`;
    },
  };
  return {
    /** The services that use it. */
    subject: services.join(','),
    /** Of each service a key that never exists: a user may have the keys of one service alone. */
    keys: services.map((name) => READY_KEYS[name]),
    config,
    redis: connectRedis({ redis: config, logger, name: 'engine-doctor' }, 'client'),
    /** Why it cannot be reached, as far as the connection says. */
    reason: () => reason,
    section: services.map((name) => `[${name}.cache.redis]`).join(' and '),
  };
}

const CONNECT_MS = 7_000;
const LOOK_MS = 250;
const REFUSED_MS = 1_000;
const PINGS = 10;
/** A delivery has 1.5 s for all that it asks of Redis. */
const SLOW_MS = 50;

/** Is this Redis there, safe, writable and fast? Writes nothing. */
export function redisChecks(target: RedisTarget): Check[] {
  const { subject, keys, redis } = target;
  const needs = [`redis ${subject}`];
  const of = (id: string, run: Check['run']): Check => ({ id: `redis.${id}`, subject, needs, run });
  return [
    { id: 'redis', subject, run: () => reachable(target) },
    of('version', () => version(redis)),
    of('persistence', async () =>
      settingOf(await persistenceWarning(redis), 'it keeps an append-only file'),
    ),
    of('eviction', async () =>
      settingOf(
        await evictionWarning(redis),
        'it removes no keys when its memory is full (noeviction)',
      ),
    ),
    of('writes', () => writes(redis, keys)),
    of('rights', () => rights(target)),
    of('latency', () => latency(redis)),
  ];
}

async function reachable(target: RedisTarget): Promise<Outcome> {
  const { redis, config, section } = target;
  const address = formatRedisAddress(config.address);
  for (let waited = 0; waited < CONNECT_MS && redis.status !== 'ready'; waited += LOOK_MS) {
    // It is refused or absent: more of the same comes.
    if (target.reason() !== undefined && waited >= REFUSED_MS) break;
    await whenReady(redis, LOOK_MS);
  }
  const why = redis.status === 'ready' ? undefined : (target.reason() ?? 'no answer in time');
  if (why !== undefined) return failed(`${address}: ${why}`, connectionFix(why, section));
  const answer = await redis.ping().catch((error: unknown) => error);
  if (answer instanceof Error)
    return failed(`${address}: ${answer.message}`, connectionFix(answer.message, section));
  const tls = config.tls ? 'encrypted' : 'not encrypted';
  return ok(`${address} answers (${tls}, database ${redis.options.db ?? 0})`);
}

function connectionFix(reason: string, section: string): string {
  if (/WRONGPASS|NOAUTH|AUTH\b|invalid password/i.test(reason))
    return `correct the password, and the user if there is one, in ${section}`;
  if (/dbindex/.test(reason)) return `correct dbindex in ${section}, or let its user choose it`;
  if (/NOPERM/.test(reason)) return 'give the user of Redis the rights that the guide lists';
  if (/CERT|certificate|self.signed|SSL|TLS/i.test(reason))
    return (
      `does Redis speak TLS there? See the keys about TLS in ${section}; its CA is trusted ` +
      'when NODE_EXTRA_CA_CERTS names it'
    );
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return `correct the host in ${section}, or DNS`;
  return `start Redis, or correct ${section}; look at firewalls, and at enableTLS where it speaks TLS alone`;
}

async function version(redis: Redis): Promise<Outcome> {
  if ((await isInClusterMode(redis)) === true)
    return failed(
      'it is in cluster mode, which is not supported',
      'give cache.redis one that is not (cluster-enabled no); for high availability name its Sentinels',
    );
  const text = await redisInfo(redis, 'server', 'redis_version');
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text ?? '') ?? [];
  if (text === undefined || major === undefined)
    return skipped(
      'not known: INFO is forbidden here',
      'see in the settings of its host that it is Redis 6.2 or newer',
    );
  const valkey = await redisInfo(redis, 'server', 'valkey_version');
  const name = valkey === undefined ? `Redis ${text}` : `Valkey ${valkey} (as Redis ${text})`;
  const isOld = Number(major) < 6 || (Number(major) === 6 && Number(minor) < 2);
  return isOld ? failed(`${name} is too old`, 'use Redis 6.2 or newer, or Valkey') : ok(name);
}

/** @param sentence of the services' own warning: what is wrong, a colon, what to do */
function settingOf(sentence: string | undefined, fine: string): Outcome {
  if (sentence === undefined) return ok(fine);
  const colon = sentence.indexOf(': ');
  const [what, fix] = [sentence.slice(0, colon), sentence.slice(colon + 2)];
  return /does not tell/.test(what) ? skipped(`not known: ${what}`, fix) : warning(what, fix);
}

/**
 * Asks for a write that changes nothing: SET with XX of a key that never exists. Redis refuses it
 * for all the reasons for which it refuses others.
 */
async function writes(redis: Redis, keys: readonly string[]): Promise<Outcome> {
  try {
    for (const key of keys) await redis.set(key, '', 'XX');
    return ok('it takes writes');
  } catch (error) {
    const why = whyNoWrites(error) ?? reasonOf(error);
    return failed(`it refuses writes: ${why}`, writeFix(why));
  }
}

function writeFix(why: string): string {
  if (why.includes('read-only'))
    return 'name its master, or its Sentinels, which know which server that is';
  if (why.includes('memory')) return 'raise maxmemory, or remove what others store in it';
  if (why.includes('disk')) return 'make room on its disk, and look at its log';
  if (why.includes('replicas')) return 'start its replicas, or lower min-replicas-to-write';
  if (why.includes('NOPERM')) return 'give its user the rights that the guide lists';
  return 'look at the log of Redis';
}

async function rights({ redis, keys, section }: RedisTarget): Promise<Outcome> {
  const lists: string[] = [];
  for (const key of keys) {
    const missing = await missingRights(redis, key);
    if (!Array.isArray(missing)) return noAnswer(missing, section, key);
    lists.push(...missing);
  }
  const missing = [...new Set(lists)];
  if (missing.length === 0) return ok('its user may run every command that the services use');
  return failed(
    `its user may not run ${missing.join(', ')} on our keys`,
    `ACL SETUSER … ${missing.map((name) => `+${name.toLowerCase()}`).join(' ')}: ${RIGHTS}`,
  );
}

const RIGHTS = 'the guide lists the rights that the user needs';

function noAnswer(
  missing: 'no-keys' | 'no-scripts' | 'not-known',
  section: string,
  key: string,
): Outcome {
  if (missing === 'no-scripts')
    return failed(
      'its user may run no scripts (EVAL, EVALSHA)',
      `give the user in ${section} +@scripting: ${RIGHTS}`,
    );
  const pattern = `${key.slice(0, key.lastIndexOf(':') + 1)}*`;
  if (missing === 'no-keys')
    return failed(
      `its user may not use our keys (${pattern})`,
      `ACL SETUSER … ~${pattern}, with keyPrefix before it: ${RIGHTS}`,
    );
  return skipped(
    'not known: Redis before 7.0 does not tell which commands its user may run',
    RIGHTS,
  );
}

async function latency(redis: Redis): Promise<Outcome> {
  const times: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const began = performance.now();
    await redis.ping();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const [median = 0, most = 0] = [times[PINGS / 2], times.at(-1)];
  const text = `${median.toFixed(1)} ms in the middle of ${PINGS} calls, ${most.toFixed(1)} ms at most`;
  if (median <= SLOW_MS) return ok(text);
  return warning(
    text,
    'run the services near Redis: a delivery has 1.5 s for all that it asks of it',
  );
}
