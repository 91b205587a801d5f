import { createHash } from 'node:crypto';
import { isCdsError } from '@cds/wire';
import type { Request, Response } from 'express';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';

/**
 * The API repeats a call at once, up to five times, for these answers and for none at all.
 * https://github.com/ovh/cds/blob/v0.57.0/engine/api/services/http.go
 */
const REPEATED_FROM = 409;
/** Longer than the repeats take, and shorter than it takes a person to try again. */
const MEMORY_MS = 2_000;
const MAX_REMEMBERED = 1_000;

/** One call of the API. */
export interface ApiCall {
  req: Request;
  res: Response;
  /** Who sends it, without a secret. */
  sender: string;
  /** True where an answer cannot serve two callers, since it is streamed. */
  alone?: boolean | undefined;
}

export type RepeatedCalls = ReturnType<typeof createRepeatedCalls>;

/** Answers the repeats of a call without doing its work again. */
export function createRepeatedCalls({ onRepeat }: { onRepeat(): void }) {
  const answers = new LRUCache<string, Promise<unknown>>({
    ...maxEntries(MAX_REMEMBERED),
    ttl: MEMORY_MS,
  });
  const writes = new Map<string, Promise<unknown>>();

  async function watch<T>(key: string, call: ApiCall, work: () => Promise<T>): Promise<T> {
    const isWrite = call.req.method !== 'GET';
    const outcome = work();
    if (isWrite && !call.alone) writes.set(key, outcome);
    try {
      const answer = await outcome;
      if (isWrite && !call.alone && isUnheard(call)) answers.set(key, outcome);
      return answer;
    } catch (error) {
      // A read that was given up since its caller left says nothing about Bitbucket.
      if (isRepeated(error) && (isWrite || !isUnheard(call))) answers.set(key, outcome);
      throw error;
    } finally {
      if (writes.get(key) === outcome) writes.delete(key);
    }
  }

  return {
    /**
     * Does the work of a call, unless the same call was answered a moment ago in a way that the API
     * repeats: then the answer is that one. A write that is under way is joined, not done twice.
     */
    async run<T>(call: ApiCall, work: () => Promise<T>): Promise<T> {
      const key = keyOf(call);
      const known = answers.get(key) ?? writes.get(key);
      if (!known) return watch(key, call, work);
      onRepeat();
      return known as Promise<T>;
    },
    /** Forgets what was answered: why it was refused may be over, Redis being back for instance. */
    forget: () => answers.clear(),
  };
}

/** The caller left before the answer: it, or what stands in between, will ask again. */
function isUnheard({ res }: ApiCall): boolean {
  return res.destroyed;
}

function isRepeated(error: unknown): boolean {
  return !isCdsError(error) || error.status >= REPEATED_FROM;
}

function keyOf({ req, sender }: ApiCall): string {
  const hash = createHash('sha256').update(JSON.stringify([sender, req.method, req.originalUrl]));
  // As bytes: a push of megabytes would become far more as JSON.
  if (Buffer.isBuffer(req.body)) hash.update(req.body);
  return hash.digest('base64');
}
