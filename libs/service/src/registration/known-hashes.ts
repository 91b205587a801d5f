import { createHash, timingSafeEqual } from 'node:crypto';
import type { Logger } from '../logs/create-logger';
import { type HashStore, MAX_HASHES } from './hash-store';

/** How long a request of a process's first moments waits for what Redis knows. */
const SETTLE_MS = 5_000;
/** A hash that stays in use is stored anew this often, so that it does not count as old. */
const STORE_AGAIN_MS = 24 * 60 * 60 * 1_000;

/**
 * The hashes by which the CDS API calls this service: all that it was ever given under its name, not the last one alone.
 * The API keeps a client for each project and VCS server with the hash of the moment when it was made, until it is
 * restarted; and it has the hash of a process before that process has registered.
 */
export interface KnownHashes {
  /** Whether a request with this `X_AUTH_HEADER` comes from the API. Takes the same time for every header. */
  includes(xAuthHeader: string): boolean;
  /** Takes what the API gave. Stored in the background, and tried again at the next call while Redis is away. */
  add(hash: string): void;
  /** Resolves when what Redis holds is known, at the latest five seconds after the start. Never rejects. */
  settled(): Promise<void>;
}

/** What is stored of a hash: nothing that opens a service, since a hash is random and long. */
export function fingerprintOf(xAuthHeader: string): string {
  return createHash('sha256').update(xAuthHeader).digest('hex');
}

/** @param deps.store without one they are known to this process alone */
export function createKnownHashes(deps: {
  store?: HashStore | undefined;
  logger: Pick<Logger, 'debug' | 'warn'>;
}): KnownHashes {
  const { store, logger } = deps;
  /** Oldest first. */
  const known = new Map<string, Buffer>();
  const storedAt = new Map<string, number>();
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));

  function remember(fingerprint: string): void {
    known.delete(fingerprint);
    known.set(fingerprint, Buffer.from(fingerprint, 'hex'));
    for (const oldest of known.keys()) {
      if (known.size <= MAX_HASHES) break;
      known.delete(oldest);
      storedAt.delete(oldest);
    }
  }

  async function load(from: HashStore): Promise<void> {
    try {
      const own = [...known.keys()];
      const stored = await from.read();
      // What this process was given is newer than what is stored.
      for (const fingerprint of [...stored.toReversed(), ...own]) {
        if (/^[0-9a-f]{64}$/.test(fingerprint)) remember(fingerprint);
      }
      settle();
    } catch (error) {
      logger.debug({ err: error }, 'hashes of the service not read from Redis');
    }
  }

  if (store) {
    store.onReady(() => void load(store));
    setTimeout(settle, SETTLE_MS).unref();
  } else {
    settle();
  }

  return {
    includes(xAuthHeader) {
      const given = Buffer.from(fingerprintOf(xAuthHeader), 'hex');
      let found = false;
      for (const one of known.values()) found = timingSafeEqual(given, one) || found;
      return found;
    },
    add(hash) {
      const fingerprint = fingerprintOf(Buffer.from(hash).toString('base64'));
      remember(fingerprint);
      const last = storedAt.get(fingerprint);
      if (!store || (last !== undefined && performance.now() - last < STORE_AGAIN_MS)) return;
      storedAt.set(fingerprint, performance.now());
      store.add(fingerprint).catch((error: unknown) => {
        storedAt.delete(fingerprint);
        logger.warn({ err: error }, 'hash of the service not stored in Redis: trying again');
      });
    },
    settled: () => settled,
  };
}
