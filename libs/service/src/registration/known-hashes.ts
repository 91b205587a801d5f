import { createHash, timingSafeEqual } from 'node:crypto';
import { type GivenHash, type HashStore, MAX_HASHES } from '@cds/redis';
import type { Logger } from '../logs/create-logger';

/** How long a request of a process's first moments waits for what Redis knows. */
const SETTLE_MS = 5_000;

/** What is stored of a hash: nothing that opens a service, since a hash is random and long. */
export function fingerprintOf(xAuthHeader: string): string {
  return createHash('sha256').update(xAuthHeader).digest('hex');
}

export type KnownHashes = ReturnType<typeof createKnownHashes>;

/**
 * All hashes that the CDS API ever gave this service under its name. Until its restart the API
 * keeps a client for each project and VCS server with the hash of the moment when it was made; and
 * it has the hash of a process before that process has registered.
 *
 * @param deps.store without one they are known to this process alone
 */
export function createKnownHashes(deps: {
  store?: HashStore | undefined;
  logger: Pick<Logger, 'debug' | 'warn'>;
}) {
  const { store, logger } = deps;
  /** Oldest first. */
  const known = new Map<string, { bytes: Buffer; at: number }>();
  /** The last one that Redis took. */
  let stored: string | undefined;
  let given: string | undefined;
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));

  function remember({ fingerprint, at }: GivenHash): void {
    known.delete(fingerprint);
    known.set(fingerprint, { bytes: Buffer.from(fingerprint, 'hex'), at });
    for (const oldest of known.keys()) {
      if (known.size <= MAX_HASHES) break;
      known.delete(oldest);
    }
  }

  const all = (): GivenHash[] => [...known].map(([fingerprint, { at }]) => ({ fingerprint, at }));

  async function load(from: HashStore): Promise<void> {
    try {
      const read = await from.read();
      // What this process was given is newer than what is stored.
      for (const hash of [...read.toReversed(), ...all()]) {
        if (/^[0-9a-f]{64}$/.test(hash.fingerprint)) remember(hash);
      }
      settle();
      // A restarted Redis may lack some, and this process may end before its next heartbeat.
      const held = new Set(read.map(({ fingerprint }) => fingerprint));
      if (all().some(({ fingerprint }) => !held.has(fingerprint))) await from.add(all());
    } catch (error) {
      logger.debug({ err: error }, 'hashes of the service not read from Redis, or not put back');
    }
  }

  if (store) {
    store.onReady(() => void load(store));
    setTimeout(settle, SETTLE_MS).unref();
  } else {
    settle();
  }

  return {
    /** Whether a request with this header comes from the API. Takes the same time for each. */
    includes(xAuthHeader: string): boolean {
      const given = Buffer.from(fingerprintOf(xAuthHeader), 'hex');
      let found = false;
      for (const { bytes } of known.values()) found = timingSafeEqual(given, bytes) || found;
      return found;
    },
    /**
     * Adds a hash of the API, and stores all in the background: a Redis that lost some has them
     * after the next heartbeat.
     */
    add(hash: string): void {
      const fingerprint = fingerprintOf(Buffer.from(hash).toString('base64'));
      given = fingerprint;
      remember({ fingerprint, at: Date.now() });
      store?.add(all()).then(
        () => (stored = fingerprint),
        (error: unknown) => {
          // A later heartbeat restores a hash that Redis took and lost: no action is needed.
          const level = stored === fingerprint ? 'debug' : 'warn';
          logger[level]({ err: error }, 'hash of the service not stored in Redis: trying again');
        },
      );
    },
    /** Fingerprint of the hash that the API gave this process last; undefined before the first. */
    given: () => given,
    /** Resolves when Redis's hashes are known, or five seconds after the start. Never rejects. */
    settled: () => settled,
  };
}

/** The same store, into which nothing is put while the state in Redis is another's. */
export function whileOurs(store: HashStore, isOurs: () => boolean): HashStore {
  return {
    ...store,
    async add(hashes) {
      if (!isOurs()) throw new Error('the state in Redis is not known to be that of this CDS');
      await store.add(hashes);
    },
  };
}
