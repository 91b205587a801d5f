import { newToken } from '../processes/bitbucket-world';
import { type BenchApi, startBenchApi } from './bench-api';
import { type BenchBitbucket, startBenchBitbucket } from './bench-bitbucket';
import { type BenchRedis, startBenchRedis } from './bench-redis';
import { createPlainClient, type PlainClient } from './plain-client';
import { projectHeaders, startVcsService, type VcsService } from './vcs-service';

export interface VcsRequest {
  method?: string;
  /** Below `/vcs/bitbucketcloud`. */
  path: string;
  token: string;
  body?: unknown;
}

/**
 * Redis, the stand-ins of the API and of Bitbucket, and one `vcs`, each in a process of its own.
 */
export interface VcsStage {
  redis: BenchRedis;
  bitbucket: BenchBitbucket;
  service: VcsService;
  /** As the API calls it, over connections that stay. @throws Error unless it answers 2xx */
  vcs<T>(request: VcsRequest): Promise<T>;
  /** A token that nobody has used: nothing that was read before serves it. */
  freshToken(account?: string): string;
  /** Calls Bitbucket itself. */
  plain: PlainClient;
  close(): Promise<void>;
}

export async function openVcsStage(options: {
  folder: string;
  latencyMs: number;
}): Promise<VcsStage> {
  const { folder, latencyMs } = options;
  const redis = await startBenchRedis(folder);
  const api: BenchApi = await startBenchApi();
  const bitbucket = await startBenchBitbucket(latencyMs);
  const service = await startVcsService({
    folder,
    redisPort: redis.port,
    apiUrl: api.url,
    bitbucket,
  });
  let tokens = 0;
  return {
    redis,
    bitbucket,
    service,
    async vcs<T>({ method = 'GET', path, token, body }: VcsRequest) {
      const answer = await fetch(`${service.url}/vcs/bitbucketcloud${path}`, {
        method,
        headers: projectHeaders(token),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    freshToken(account = 'even') {
      tokens += 1;
      return newToken(account, tokens);
    },
    plain: createPlainClient(bitbucket.apiUrl),
    async close() {
      await service.stop();
      await Promise.all([api.stop(), bitbucket.stop()]);
      await redis.stop();
    },
  };
}
