import {
  createStateGuard,
  createVcsStateMark,
  createWrites,
  type HashStore,
  stateOwnerOf,
  HOOKS_STATE_KEY,
  VCS_STATE_FORMAT,
  vcsKeys,
} from '@cds/redis';
import type { KnownHashes, Logger, Registration } from '@cds/service';
import { CdsError, type MonitoringLine } from '@cds/wire';
import type { Request, RequestHandler } from 'express';
import type { Redis } from 'ioredis';
import { readAccessHeaders } from '../credentials/access-headers';

export type State = Awaited<ReturnType<typeof createState>>;

const LATER = { 'Retry-After': '5' };

/**
 * Determines whether the state of `vcs` in Redis is this CDS's.
 * A state of another API or token is ours when the API gives this service a hash that it gave to
 * its name before, or a key that it gave to any; when `hooks` has proven that both are one CDS; or
 * when a request carries the refresh token of a grant in Redis. A state without a mark is of an
 * older version, and is taken over after the registration.
 */
export async function createState(deps: {
  redis: Redis;
  /** The URL and the token of the API, and the webhook key. */
  owner: { url: string; token: string; webhookKey: string };
  logger: Logger;
  registration: Pick<Registration, 'registered' | 'firstRegistration'>;
  hashes: Pick<KnownHashes, 'given'>;
  /** The store of this service's name. */
  hashStore: HashStore;
}) {
  const { redis, registration, hashes, hashStore, logger } = deps;
  let onFirst: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (onFirst = resolve));
  const owner = await stateOwnerOf(deps.owner);
  const writes = createWrites({
    logger,
    loss: 'Redis refuses writes: no grant can be renewed, and no project linked',
  });
  const guard = createStateGuard({
    redis,
    claim: createVcsStateMark(redis, [owner]),
    understood: VCS_STATE_FORMAT,
    service: 'vcs',
    foreign:
      'Redis holds the state of another CDS, by the API and the token, and nothing shows that it is the same',
    unproven:
      'the API or the token is another than that of the state in Redis: waiting for the registration',
    logger,
    mayMake: () => registration.registered,
    mayProve: () => registration.registered,
    async prove() {
      const held = await hashStore.read();
      const isKnown = held.some(({ fingerprint }) => fingerprint === hashes.given());
      return isKnown || (await isProvenByHooks(redis, owner)) ? 'proven' : {};
    },
    onOurs: () => onFirst(),
    onLost: () => undefined,
    onWrite: writes.note,
  });
  const isOurs = () => guard.status().kind === 'ours';
  let started = false;
  const look = () => (started ? guard.check() : Promise.resolve());
  void registration.firstRegistration().then(look);

  /** Whether a request carries the refresh token of a grant in Redis. */
  async function proves(request: Request): Promise<boolean> {
    if (request.headers['x-cds-access-token-secret'] === undefined) return false;
    const { refreshToken } = readAccessHeaders(request.headers);
    return (await redis.exists(vcsKeys.grant(refreshToken))) === 1;
  }

  async function refusalOf(request: Request): Promise<string | undefined> {
    // Before the first check; without Redis there is no state to protect.
    if (guard.status().kind === 'unknown' && redis.status === 'ready') await look();
    const { kind } = guard.status();
    if (kind !== 'foreign' && kind !== 'unproven') return guard.refusal();
    if (await proves(request)) await guard.proven();
    return guard.refusal();
  }

  /** Middleware before the routes: refuses every call while the state is not ours. */
  const onlyOurs: RequestHandler = (request, _response, next) => {
    if (isOurs()) return next();
    refusalOf(request).then((from) => {
      next(from === undefined ? undefined : new CdsError('unavailable', { from, headers: LATER }));
    }, next);
  };

  return {
    onlyOurs,
    isOurs,
    /** Resolves when the state is ours for the first time. */
    firstOurs: () => first,
    whyNoWrites: writes.refusal,

    /** Why no call can be answered, whatever it carries; undefined where one may be. */
    unreadable: () => (guard.status().kind === 'unreadable' ? guard.refusal() : undefined),

    /** Waits until the owner of the state is known. Rejects when it is not this CDS. */
    async untilOurs(): Promise<void> {
      await registration.firstRegistration();
      // The first check may have begun before the registration.
      for (let looks = 0; looks < 2 && !isOurs(); looks++) await look();
      if (!isOurs()) throw new Error('the state in Redis is not known to be that of this CDS');
    },

    lines(): MonitoringLine[] {
      const value = guard.refusal();
      if (value === undefined) return [];
      const status = guard.status().kind === 'unproven' ? 'WARN' : 'AL';
      return [{ status, component: 'State', value, type: '' }];
    },

    /** Call it when a usable Redis has answered. */
    start(): void {
      started = true;
      redis.on('ready', () => void guard.check());
      void guard.check();
      guard.start();
    },

    stop: guard.stop,
  };
}

/**
 * Whether the state of `hooks` in the same Redis is this CDS's, and also that of an owner of the
 * state of `vcs`. The hooks of the API prove it there, which no key and no grant may do here after
 * the upgrade of a CDS before 0.44.
 */
async function isProvenByHooks(redis: Redis, owner: string): Promise<boolean> {
  const [own, ofHooks] = await Promise.all(
    [vcsKeys.state, HOOKS_STATE_KEY].map((key) => redis.hkeys(key)),
  );
  const owners = new Set((ofHooks ?? []).filter((field) => field.startsWith('owner:')));
  return owners.has(`owner:${owner}`) && (own ?? []).some((field) => owners.has(field));
}
