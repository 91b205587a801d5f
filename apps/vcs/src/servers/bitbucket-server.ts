import { createBitbucketClient } from '@cds/bitbucket';
import type { AccessTokenSource, BitbucketClient, BitbucketPart } from '@cds/bitbucket';
import type { BitbucketServerConfig } from '@cds/config';
import type { ProxySettings } from '@cds/network';
import type { Logger } from '@cds/service';
import type { Tracing } from '@cds/tracing';
import type { Redis } from 'ioredis';
import type { CallCredential } from '../credentials/call-credential';
import { createCallBudget, type CallBudget, type CallCounter } from '../rate-limit/call-budget';
import {
  createRepositoryWrites,
  noteWrites,
  type RepositoryWrites,
} from '../coalescing/repository-writes';
import { createRequestCoalescer, type RequestCoalescer } from '../coalescing/request-coalescer';
import { createCoalescingClient } from '../coalescing/coalescing-client';
import { traceCall } from '../monitoring/trace-calls';
import type { VcsMetrics } from '../monitoring/vcs-metrics';

/** What routes read of a server. The name is that of its state in Redis, in logs and in metrics. */
export type ServerSettings = Omit<
  BitbucketServerConfig,
  'clientId' | 'clientSecret' | 'oauthUrl' | 'callsPerHour'
>;

/** A Bitbucket Cloud as one OAuth consumer or one VCS project calls it. */
export interface BitbucketServer {
  config: ServerSettings;
  budget: CallBudget;
  /** A client that calls Bitbucket each time. */
  connect(tokens: AccessTokenSource): BitbucketClient;
  /** A client for a request that only reads: identical reads are coalesced. */
  connectToRead(tokens: CallCredential): BitbucketClient;
}

export interface BitbucketServerDeps {
  redis: Redis;
  logger: Logger;
  metrics: VcsMetrics;
  /** None when not given. */
  proxies?: ProxySettings | undefined;
  tracing?: Tracing | undefined;
}

export interface Calls {
  /** Whose calls Bitbucket counts together. */
  counter: CallCounter;
  /** What the credential is for, where that is known. */
  part?: BitbucketPart | undefined;
  /** Its own when not given. */
  writes?: RepositoryWrites;
  /** Its own when not given. */
  reads?: RequestCoalescer;
}

export function createBitbucketServer(
  deps: BitbucketServerDeps,
  config: ServerSettings,
  calls: Calls,
): BitbucketServer {
  const { redis, metrics, proxies, tracing } = deps;
  const { counter, part } = calls;
  const { name, apiUrl } = config;
  const logger = deps.logger.child({ server: name });
  const budget = createCallBudget({
    counter,
    redis,
    logger,
    onListingRefused: () => metrics.heldBack('listing'),
  });
  const writes = calls.writes ?? createRepositoryWrites();
  const reads = calls.reads ?? createRequestCoalescer({ onRead: metrics.read });

  function connect(tokens: AccessTokenSource): BitbucketClient {
    const bitbucket = createBitbucketClient({
      ...{ apiUrl, tokens, part, proxies, logger },
      onCall(call) {
        budget.count(call);
        metrics.call(counter.label, call);
        if (tracing) traceCall(tracing, call);
      },
    });
    return noteWrites(bitbucket, writes);
  }

  return {
    config,
    budget,
    connect,
    connectToRead: (tokens) =>
      createCoalescingClient({ bitbucket: connect(tokens), tokens, reads, writes, budget }),
  };
}
