import { abortable } from '@cds/network';
import type { CallContext } from '@cds/bitbucket';
import { LRUCache } from 'lru-cache';
import { deadlinePassed } from '../http/request-deadline';
import type { ReadSource } from '../monitoring/vcs-metrics';

const MOST_KEPT = 5_000;
const MOST_KEPT_BYTES = 32 * 1024 * 1024;
const LARGEST_KEPT_BYTES = 4 * 1024 * 1024;

/** How the answer to one kind of read may serve others. */
export interface ReadRule {
  /** Milliseconds after its beginning in which a read under way may be joined. */
  joinMs: number;
  /** Milliseconds for which an answer serves the same read again. */
  keepMs: number;
  /** Milliseconds for which it may serve where the read would be refused. */
  keepForNeedMs?: number;
}

export interface Read<T> {
  /** The same for reads that have the same answer, of whoever may see it. */
  key: string;
  rule: ReadRule;
  /** The error with which this read is refused now, if it is. */
  refusal?: () => Promise<Error | undefined>;
  /** Given a context that ends when nobody waits any more. */
  work(ctx: CallContext): Promise<T>;
  /** Told that another's read served this one, and what its `servedBy` said. */
  onJoined?(servedBy: string | undefined): void;
  servedBy?(): string | undefined;
}

/** Reads of which identical ones cost one call. */
export interface SharedReads {
  read<T>(read: Read<T>, ctx: CallContext): Promise<T>;
}

interface Flight {
  answer: Promise<unknown>;
  begunAt: number;
  waiting: number;
  deadline: number;
  end: AbortController;
  servedBy?: () => string | undefined;
}

/**
 * Errors are shared, too, by who waits for them, and never kept. A caller that leaves takes nothing from the others; the last
 * one ends the read.
 */
export function createSharedReads(deps: { onRead(source: ReadSource): void }): SharedReads {
  const flights = new Map<string, Flight>();
  const kept = new LRUCache<string, { answer: unknown; at: number }>({
    max: MOST_KEPT,
    maxSize: MOST_KEPT_BYTES,
    maxEntrySize: LARGEST_KEPT_BYTES,
  });

  async function ask<T>(read: Read<T>, ctx: CallContext): Promise<T> {
    const { key, rule } = read;
    const refusal = await read.refusal?.();
    if (refusal) {
      const old = kept.get(key);
      if (!old) throw refusal;
      deps.onRead('memory');
      return old.answer as T;
    }
    deps.onRead('bitbucket');
    const answer = await read.work(ctx);
    const ttl = Math.max(rule.keepMs, rule.keepForNeedMs ?? 0);
    if (ttl > 0) kept.set(key, { answer, at: performance.now() }, { ttl, size: sizeOf(answer) });
    return answer;
  }

  function take<T>(read: Read<T>): Flight {
    const end = new AbortController();
    const flight: Flight = {
      begunAt: performance.now(),
      waiting: 0,
      deadline: 0,
      end,
      servedBy: read.servedBy,
      answer: Promise.resolve(),
    };
    const ctx = {
      signal: end.signal,
      // Who joins may have more time.
      get deadline() {
        return flight.deadline;
      },
    };
    // In a moment, when it is known how long the first caller waits.
    flight.answer = Promise.resolve()
      .then(() => ask(read, ctx))
      .finally(() => leave(read.key, flight));
    flight.answer.catch(() => undefined);
    flights.set(read.key, flight);
    return flight;
  }

  /** Nobody joins it any more. */
  function leave(key: string, flight: Flight): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  return {
    async read<T>(read: Read<T>, ctx: CallContext): Promise<T> {
      const { key, rule } = read;
      const now = performance.now();
      const recent = kept.get(key);
      if (recent && now - recent.at < rule.keepMs) {
        deps.onRead('memory');
        return recent.answer as T;
      }
      const underWay = flights.get(key);
      const isJoined = underWay !== undefined && now - underWay.begunAt < rule.joinMs;
      const flight = isJoined ? underWay : take(read);
      if (isJoined) deps.onRead('under_way');
      flight.waiting += 1;
      flight.deadline = Math.max(flight.deadline, ctx.deadline ?? Infinity);
      try {
        const answer = await abortable(flight.answer, ctx.signal, deadlinePassed);
        if (isJoined) read.onJoined?.(flight.servedBy?.());
        return answer as T;
      } finally {
        flight.waiting -= 1;
        if (flight.waiting === 0) {
          flight.end.abort();
          leave(key, flight);
        }
      }
    },
  };
}

/** About: of its JSON. */
function sizeOf(answer: unknown): number {
  return (JSON.stringify(answer) ?? '').length + 1;
}
