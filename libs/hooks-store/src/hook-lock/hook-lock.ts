import { randomUUID } from 'node:crypto';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { hookKeys, KEYS, PREFIXES } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { HEARTBEAT, CLAIM_HOOK, RELEASE_HOOKS } from './hook-lock.lua';

/**
 * The right to work off one hook. Every script that writes for it names the holder, and is refused
 * to others.
 */
export interface HeldLock {
  uuid: string;
  lockToken: string;
}

/** The same for several hooks, or for those of them that the holder got. */
export interface HeldLocks {
  uuids: readonly string[];
  lockToken: string;
}

export interface HookLockDeps {
  redis: Redis;
  logger: Logger;
  keyRepair?: KeyRepair;
  /** How often a worker tells that it lives. */
  lockHeartbeatMs?: number | undefined;
}

export type HookLock = ReturnType<typeof createHookLock>;

/** Beats missed in a row after which a worker counts as dead. */
const BEATS_MISSED = 6;
/** Beats with which a claim that was not answered is given back. */
const ORPHAN_BEATS = 3;
/** A worker that was silent for this many of our beats is forgotten (about an hour). */
const BEATS_TO_FORGET = 2400;

/**
 * At most one process works off a hook at a time, also where BullMQ hands its job to a second one
 * because the first could not extend its lock.
 *
 * No key's time-to-live decides: time also passes for keys while Redis is frozen and nobody can
 * renew them, and a hook taken over then would ask for the same run twice. Instead each worker
 * counts its beats in Redis, and counts as dead for another one that saw the same number six times
 * in a row, a second and a half apart, with Redis answering promptly all the while.
 */
export function createHookLock(deps: HookLockDeps) {
  const { redis, logger, lockHeartbeatMs = 1_500, keyRepair = NO_KEY_REPAIR } = deps;
  const worker = randomUUID();
  const claimHook = CLAIM_HOOK.on(redis);
  const releaseHooks = RELEASE_HOOKS.on(redis);
  const writeBeat = HEARTBEAT.on(redis);

  const held = new Set<string>();
  const others = new Map<string, { beats: string; unchanged: number }>();
  /**
   * Claims that failed or could not be given back, and with how many more beats to try to give them
   * back.
   */
  const abandoned = new Map<HeldLocks, number>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function giveBack({ uuids, lockToken }: HeldLocks): Promise<void> {
    const hooks = uuids.map((uuid) => ({ uuid }));
    await releaseHooks({}, { lockToken, ...PREFIXES }, hooks);
  }

  async function releaseAll(locks: HeldLocks): Promise<void> {
    held.delete(locks.lockToken);
    await releaseSome(locks);
  }

  async function releaseSome(locks: HeldLocks): Promise<void> {
    try {
      await giveBack(locks);
    } catch (error) {
      abandoned.set(locks, ORPHAN_BEATS);
      const hooks = locks.uuids;
      logger.debug({ error, hooks }, 'hooks could not be given back');
    }
  }

  function newToken(): string {
    const lockToken = `${worker}/${randomUUID()}`;
    held.add(lockToken);
    return lockToken;
  }

  /**
   * A claim that was not answered may still be done when Redis comes back: it would block the hook
   * for others.
   */
  async function releaseAbandoned(): Promise<void> {
    for (const [lock, beats] of abandoned) {
      await giveBack(lock);
      if (beats > 1) abandoned.set(lock, beats - 1);
      else abandoned.delete(lock);
    }
  }

  async function lockHeartbeat(): Promise<void> {
    const began = performance.now();
    const forgotten = [...others].filter(([, seen]) => seen.unchanged > BEATS_TO_FORGET);
    for (const [other] of forgotten) others.delete(other);
    let reply: { worker: string; beats: string }[];
    try {
      const workers = forgotten.map(([other]) => ({ forgotten: other }));
      reply = await writeBeat(KEYS, { worker }, workers);
      await releaseAbandoned();
    } catch (error) {
      // The others could not tell that they live either.
      for (const seen of others.values()) seen.unchanged = 0;
      logger.debug({ error }, 'the beat of this worker did not reach Redis');
      return;
    }
    const prompt = performance.now() - began < lockHeartbeatMs / 2;
    const now = new Map(reply.map(({ worker, beats }) => [worker, beats]));
    now.delete(worker);
    for (const other of now.keys()) {
      if (!others.has(other)) others.set(other, { beats: '', unchanged: 0 });
    }
    for (const [other, seen] of others) {
      const beats = now.get(other) ?? 'none';
      seen.unchanged = prompt && beats === seen.beats ? seen.unchanged + 1 : 0;
      seen.beats = beats;
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      void lockHeartbeat().finally(() => {
        if (!stopped) schedule();
      });
    }, lockHeartbeatMs).unref();
  }

  /** Whether the holder is of a process that died, or a leftover of this one. */
  function isDead(lockToken: string): boolean {
    const [other = ''] = lockToken.split('/');
    if (other === worker) return !held.has(lockToken);
    const seen = others.get(other);
    if (!seen) others.set(other, { beats: 'none', unchanged: 0 });
    return seen !== undefined && seen.unchanged >= BEATS_MISSED;
  }

  return {
    /** Begins to beat; to be called before the first claim. Does not wait for Redis. */
    async start(): Promise<void> {
      await lockHeartbeat();
      if (!stopped) schedule();
    },

    /** Takes the hook, or tells that another one, who lives, is at it. */
    async acquire(uuid: string): Promise<HeldLock | undefined> {
      const lockToken = newToken();
      try {
        const take = (dead: string) =>
          keyRepair.hook(uuid, () => claimHook(hookKeys(uuid), { lockToken, dead }));
        let owner = await take('');
        if (owner !== '' && isDead(owner)) {
          if (!owner.startsWith(`${worker}/`))
            logger.info({ hook: uuid }, 'taking over a hook from a worker that died');
          owner = await take(owner);
        }
        if (owner === '') return { uuid, lockToken };
      } catch (error) {
        held.delete(lockToken);
        abandoned.set({ uuids: [uuid], lockToken }, ORPHAN_BEATS);
        throw error;
      }
      held.delete(lockToken);
      return undefined;
    },

    /**
     * Gives the hook back. Never throws: what cannot be given back now is given back with the next
     * beats.
     */
    async release({ uuid, lockToken }: HeldLock): Promise<void> {
      await releaseAll({ uuids: [uuid], lockToken });
    },

    /**
     * A holder for a script that takes several hooks at once, of which none is of somebody who
     * died. `releaseAll` is to follow, also where the script was not answered.
     */
    newToken,

    /** As `release`, for all hooks that this holder has or may have. */
    releaseAll,

    /** As `releaseAll`, for a holder who keeps others. */
    releaseSome,

    /** Whether this holder is of a process that died: then a claim takes the hook from him. */
    isDead,

    /** Ends the beat. */
    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
