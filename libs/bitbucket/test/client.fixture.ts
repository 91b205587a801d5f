import type { BitbucketClientOptions, CallContext } from '../src';
import { createBitbucketClient } from '../src';

export function context(timeoutMs = 300_000): CallContext {
  return { signal: AbortSignal.timeout(timeoutMs) };
}

/** A source of tokens that remembers what it was asked. */
export function tokenSource(renewed = 'token-2') {
  const rejected: string[] = [];
  let token = 'token-1';
  return {
    rejected,
    current: () => Promise.resolve(token),
    renew(old: string) {
      rejected.push(old);
      token = renewed;
      return Promise.resolve(token);
    },
  };
}

/** A client with pauses of milliseconds, so that retries do not take seconds. */
export function fastClient(apiUrl: string, more: Partial<BitbucketClientOptions> = {}) {
  return createBitbucketClient({ apiUrl, tokens: tokenSource(), firstPauseMs: 5, ...more });
}
