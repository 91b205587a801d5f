import { randomUUID } from 'node:crypto';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { hookKeys, KEYS, PREFIXES } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { HEARTBEAT, CLAIM_HOOK, RELEASE_HOOKS } from './hook-lock.lua';

/** The right to process one hook. Every script that writes for the hook checks the token. */
export interface HeldLock {
  uuid: string;
  lockToken: string;
}

/** One token for several hooks, or for those of them that its holder got. */
export interface HeldLocks {
  uuids: readonly string[];
  lockToken: string;
}

interface HookLockDeps {
  redis: Redis;
  logger: Logger;
  keyRepair?: KeyRepair;
  /** How often a worker tells that it lives. */
  lockHeartbeatMs?: number | undefined;
}

export type HookLock = ReturnType<typeof createHookLock>;

/** Heartbeats in a row that a dead worker has missed. */
const BEATS_MISSED = 6;
/** Heartbeats with which an unanswered claim is released again. */
const ORPHAN_BEATS = 3;
/** A worker that was silent for so many of our heartbeats is forgotten (about an hour). */
const BEATS_TO_FORGET = 2400;

/**
 * At most one process works on a hook at a time, also where BullMQ hands its job to a second one
 * because the first could not extend its lock.
 *
 * No time-to-live decides: time also passes for keys while Redis is frozen and nobody can renew
 * them, and a hook taken over then would start the same run twice. Instead each worker counts its
 * heartbeats in Redis. It counts as dead for another one that saw the same number six times in a
 * row, 1.5 s apart, while Redis answered promptly.
 */
export function createHookLock(deps: HookLockDeps) {
  const { redis, logger, lockHeartbeatMs = 1_500, keyRepair = NO_KEY_REPAIR } = deps;
  const worker = randomUUID();
  const claimHook = CLAIM_HOOK.on(redis);
  const releaseHooks = RELEASE_HOOKS.on(redis);
  const writeHeartbeat = HEARTBEAT.on(redis);

  const held = new Set<string>();
  const others = new Map<string, { beats: string; unchanged: number }>();
  /** Claims that failed or could not be released, with the number of heartbeats to try it again. */
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
      logger.debug({ error, hooks: locks.uuids }, 'hook locks not released: trying again');
    }
  }

  function newToken(): string {
    const lockToken = `${worker}/${randomUUID()}`;
    held.add(lockToken);
    return lockToken;
  }

  /** What was claimed without an answer would block the hook. */
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
      reply = await writeHeartbeat(KEYS, { worker }, workers);
      await releaseAbandoned();
    } catch (error) {
      // The heartbeats of the others did not arrive either.
      for (const seen of others.values()) seen.unchanged = 0;
      logger.debug({ error }, 'lock heartbeat not written');
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

  /** Whether the holder belongs to a dead process, or is a leftover of this one. */
  function isDead(lockToken: string): boolean {
    const [other = ''] = lockToken.split('/');
    if (other === worker) return !held.has(lockToken);
    const seen = others.get(other);
    if (!seen) others.set(other, { beats: 'none', unchanged: 0 });
    return seen !== undefined && seen.unchanged >= BEATS_MISSED;
  }

  /** An unanswered claim may still take effect when Redis is back. */
  function abandon({ uuid, lockToken }: HeldLock): void {
    held.delete(lockToken);
    abandoned.set({ uuids: [uuid], lockToken }, ORPHAN_BEATS);
  }

  async function acquire(uuid: string): Promise<HeldLock | undefined> {
    const lockToken = newToken();
    try {
      const take = (dead: string) =>
        keyRepair.hook(uuid, () => claimHook(hookKeys(uuid), { lockToken, dead }));
      let owner = await take('');
      if (owner !== '' && isDead(owner)) {
        if (!owner.startsWith(`${worker}/`))
          logger.info({ hook: uuid }, 'hook taken over from a dead worker');
        owner = await take(owner);
      }
      if (owner === '') return { uuid, lockToken };
    } catch (error) {
      abandon({ uuid, lockToken });
      throw error;
    }
    held.delete(lockToken);
    return undefined;
  }

  return {
    /** Starts the heartbeat; call it before the first claim. Does not wait for Redis. */
    async start(): Promise<void> {
      await lockHeartbeat();
      if (!stopped) schedule();
    },

    /** Takes the lock. @returns undefined when another process that lives holds it */
    acquire,

    /**
     * {@link acquire} in one round trip with a script that takes a free lock by itself.
     *
     * @param take returns `lost` while another process holds the lock
     */
    async acquireAndTake<T extends { kind: string }>(
      uuid: string,
      take: (lockToken: string) => Promise<T>,
    ): Promise<{ lock: HeldLock; taken: T } | undefined> {
      let lock: HeldLock | undefined = { uuid, lockToken: newToken() };
      try {
        let taken = await take(lock.lockToken);
        if (taken.kind === 'lost') {
          held.delete(lock.lockToken);
          lock = await acquire(uuid);
          if (!lock) return undefined;
          taken = await take(lock.lockToken);
        }
        return { lock, taken };
      } catch (error) {
        if (lock) abandon(lock);
        throw error;
      }
    },

    /** Call when a script has released the lock. */
    released: ({ lockToken }: HeldLock): void => void held.delete(lockToken),

    /** Releases the lock. Never throws: a failed release is repeated with the next heartbeats. */
    release: ({ uuid, lockToken }: HeldLock): Promise<void> =>
      releaseAll({ uuids: [uuid], lockToken }),

    /**
     * A token for a script that takes several hooks at once, none of them of a dead process. Call
     * `releaseAll` afterwards, also where the script was not answered.
     */
    newToken,

    /** As `release`, for all hooks that this token has or may have. */
    releaseAll,

    /** As `releaseAll`, for a token that keeps other hooks. */
    releaseSome,

    /** Whether this token belongs to a dead process: a claim takes the hook from it then. */
    isDead,

    /** Ends the heartbeat. */
    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
