import { type Child, startChild } from './child';

/** Calls by what they were for. */
export type BitbucketCalls = Record<string, number>;

/** The stand-in of Bitbucket, in a process of its own. */
export interface BenchBitbucket {
  origin: string;
  apiUrl: string;
  oauthUrl: string;
  child: Child;
  /** The calls since this was last asked. @throws Error for one that Bitbucket does not know */
  calls(): Promise<BitbucketCalls>;
  /** Moves the n-th branch of a repository. @returns its new commit */
  push(repo: string, branch: number): Promise<string>;
  stop(): Promise<void>;
}

/** @param latencyMs from a call's first byte to its answer */
export async function startBenchBitbucket(latencyMs: number): Promise<BenchBitbucket> {
  const child = await startChild('bitbucket');
  const origin = await child.ask<string>('listen', latencyMs);
  return {
    origin,
    apiUrl: `${origin}/2.0`,
    oauthUrl: `${origin}/site/oauth2`,
    child,
    async calls() {
      const calls = await child.ask<BitbucketCalls>('calls');
      const unknown = Object.keys(calls).filter((name) => name.startsWith('unknown'));
      if (unknown.length > 0)
        throw new Error(`Bitbucket does not know: ${unknown.slice(0, 5).join(', ')}`);
      return calls;
    },
    push: (repo, branch) => child.ask('push', [repo, branch]),
    stop: () => child.stop(),
  };
}

export function totalOf(calls: BitbucketCalls): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}
