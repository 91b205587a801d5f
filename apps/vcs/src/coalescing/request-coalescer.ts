import type { CallContext } from '@cds/bitbucket';
import { abortable } from '@cds/network';
import { LRUCache } from 'lru-cache';
import { deadlinePassed } from '../http/request-deadline';
import type { ReadSource } from '../monitoring/vcs-metrics';

const MAX_ENTRIES = 5_000;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

/** How the answer to one kind of read may serve others. */
export interface ReadRule {
  /** Milliseconds after its beginning in which a read under way may be joined. */
  joinMs: number;
  /** Milliseconds for which the cached answer serves the same read again. */
  cacheMs: number;
  /** Milliseconds for which the cached answer may serve where the read would be refused. */
  staleMs?: number;
}

export interface Read<T> {
  /** The same for reads that have the same answer, of whoever may see it. */
  key: string;
  rule: ReadRule;
  /** The error with which this read is refused now, if it is. */
  refusal?: (() => Promise<Error | undefined>) | undefined;
  /** Given a context that ends when nobody waits any more. */
  work(ctx: CallContext): Promise<T>;
  /** Called when another read served this one, with the `usedToken` of the other. */
  onJoined?(usedToken: string | undefined): void;
  usedToken?(): string | undefined;
}

export type RequestCoalescer = ReturnType<typeof createRequestCoalescer>;

interface Flight {
  answer: Promise<unknown>;
  begunAt: number;
  waiting: number;
  deadline: number;
  end: AbortController;
  usedToken: (() => string | undefined) | undefined;
}

/**
 * Makes one call of identical reads. Callers that wait share an error; none is cached. The last
 * caller that leaves ends the read.
 */
export function createRequestCoalescer({ onRead }: { onRead(source: ReadSource): void }) {
  const flights = new Map<string, Flight>();
  const cache = new LRUCache<string, { answer: unknown; at: number }>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_ENTRY_BYTES,
  });

  async function send<T>(read: Read<T>, ctx: CallContext): Promise<T> {
    const { key, rule } = read;
    const refusal = await read.refusal?.();
    if (refusal) {
      const stale = cache.get(key);
      if (!stale) throw refusal;
      onRead('memory');
      return stale.answer as T;
    }
    onRead('bitbucket');
    const answer = await read.work(ctx);
    const ttl = Math.max(rule.cacheMs, rule.staleMs ?? 0);
    if (ttl > 0) cache.set(key, { answer, at: performance.now() }, { ttl, size: sizeOf(answer) });
    return answer;
  }

  function start<T>(read: Read<T>): Flight {
    const end = new AbortController();
    const flight: Flight = {
      begunAt: performance.now(),
      waiting: 0,
      deadline: 0,
      end,
      usedToken: read.usedToken,
      answer: Promise.resolve(),
    };
    const ctx = {
      signal: end.signal,
      // A caller that joins may have more time.
      get deadline() {
        return flight.deadline;
      },
    };
    // In a moment, when it is known how long the first caller waits.
    flight.answer = Promise.resolve()
      .then(() => send(read, ctx))
      .finally(() => close(read.key, flight));
    flight.answer.catch(() => undefined);
    flights.set(read.key, flight);
    return flight;
  }

  /** Lets no further caller join. */
  function close(key: string, flight: Flight): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  return {
    async read<T>(read: Read<T>, ctx: CallContext): Promise<T> {
      const { key, rule } = read;
      const now = performance.now();
      const cached = cache.get(key);
      if (cached && now - cached.at < rule.cacheMs) {
        onRead('memory');
        return cached.answer as T;
      }
      const underWay = flights.get(key);
      const isJoined = underWay !== undefined && now - underWay.begunAt < rule.joinMs;
      const flight = isJoined ? underWay : start(read);
      if (isJoined) onRead('under_way');
      flight.waiting += 1;
      flight.deadline = Math.max(flight.deadline, ctx.deadline ?? Infinity);
      try {
        const answer = await abortable(flight.answer, ctx.signal, deadlinePassed);
        if (isJoined) read.onJoined?.(flight.usedToken?.());
        return answer as T;
      } finally {
        flight.waiting -= 1;
        if (flight.waiting === 0) {
          flight.end.abort();
          close(key, flight);
        }
      }
    },
  };
}

/** The length of its JSON, about its size in memory. */
function sizeOf(answer: unknown): number {
  if (Buffer.isBuffer(answer)) return answer.length + 1;
  return ((JSON.stringify(answer) as string | undefined) ?? '').length + 1;
}
