import type { NextFunction, Request, Response } from 'express';
import { credentialOf } from './api-context';

const HOUR_MS = 3_600_000;

export interface RateLimitOptions {
  /** Requests to repositories in any hour, per consumer, user or access token. */
  requestsPerHour: number;
  /** What Bitbucket says about when to come back: it often says nothing. */
  retryAfter?: { form: 'seconds' | 'date'; seconds: number };
}

export interface RateLimit {
  options(): RateLimitOptions;
  set(options: RateLimitOptions): void;
  /** Forgets the requests of the last hour. */
  reset(): void;
  middleware(request: Request, response: Response, next: NextFunction): void;
}

/** A budget over a rolling hour. Beyond it: 429, as text, as Bitbucket answers it. */
export function createRateLimit(initial: RateLimitOptions): RateLimit {
  let options = initial;
  const timesOf = new Map<string, number[]>();
  return {
    options: () => options,
    set(next) {
      options = next;
    },
    reset() {
      timesOf.clear();
    },
    middleware(_request, response, next) {
      const now = Date.now();
      const { kind, counter } = credentialOf(response);
      // Others are not told.
      if (kind === 'access-token')
        response.set({
          'X-RateLimit-Limit': String(options.requestsPerHour),
          'X-RateLimit-Resource': 'api',
          'X-RateLimit-NearLimit': 'false',
        });
      let times = timesOf.get(counter) ?? [];
      if (times.length >= options.requestsPerHour)
        times = times.filter((time) => time > now - HOUR_MS);
      if (times.length < options.requestsPerHour) {
        times.push(now);
        timesOf.set(counter, times);
        next();
        return;
      }
      const { retryAfter } = options;
      if (retryAfter)
        response.set(
          'Retry-After',
          retryAfter.form === 'seconds'
            ? String(retryAfter.seconds)
            : new Date(now + retryAfter.seconds * 1_000).toUTCString(),
        );
      response.status(429).setHeader('Content-Type', 'text/plain');
      response.end('Rate limit for this resource has been exceeded');
    },
  };
}
