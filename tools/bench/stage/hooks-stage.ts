import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { LoadOrder, LoadReport } from '../processes/load';
import type { LoadedHook } from '../processes/deliveries';
import type { SteadyOrder, SteadyReport } from '../processes/steady-load';
import { type BenchApi, startBenchApi } from './bench-api';
import { type BenchRedis, startBenchRedis } from './bench-redis';
import { type Child, startChild } from './child';
import { type HooksService, makeHooks, startHooksService } from './hooks-service';

type SteadyNeeds = Pick<SteadyOrder, 'rate' | 'seconds' | 'round'>;

/** Redis, the API's stand-in, one `hooks`, and the load, each in a process of its own. */
export interface HooksStage {
  redis: BenchRedis;
  api: BenchApi;
  service: HooksService;
  hooks: LoadedHook[];
  load: Child;
  /** Sends deliveries and demands that each was answered 200. */
  send(order: Partial<LoadOrder> & { amount: number; round: number }): Promise<LoadReport>;
  /** Sends at a set rate and demands that each was answered 200. */
  sendSteadily(order: Partial<SteadyOrder> & SteadyNeeds): Promise<SteadyReport>;
  /** Resolves when so many runs have come, each once and in order. @throws Error else */
  verify(runs: number): Promise<void>;
  close(): Promise<void>;
}

export async function openHooksStage(options: {
  folder: string;
  hooks: number;
  env?: Record<string, string>;
}): Promise<HooksStage> {
  const { folder } = options;
  const { listed, loaded } = makeHooks(options.hooks);
  const redis = await startBenchRedis(folder);
  const api = await startBenchApi();
  await api.list(listed);
  const env = options.env ?? {};
  const service = await startHooksService({ folder, redisPort: redis.port, apiUrl: api.url, env });
  const load = await startChild('load');
  await waitFor(async () => (await redis.redis.scard(KEYS.tasks)) >= options.hooks, {
    what: 'the tasks to be in Redis',
    timeoutMs: 60_000,
  });
  return {
    redis,
    api,
    service,
    hooks: loaded,
    load,
    async send(order) {
      const report = await load.ask<LoadReport>('load', {
        url: service.url,
        hooks: loaded,
        connections: 50,
        ...order,
      });
      if (report.refused + report.failed > 0 || report.answered !== order.amount)
        throw new Error(`Not all ${order.amount} deliveries were taken: ${JSON.stringify(report)}`);
      return report;
    },
    async sendSteadily(order) {
      const report = await load.ask<SteadyReport>('steady', {
        url: service.url,
        hooks: loaded,
        connections: 50,
        ...order,
      });
      if (report.refused + report.failed > 0 || report.answered === 0)
        throw new Error(`Not all deliveries were taken: ${JSON.stringify(report)}`);
      return report;
    },
    async verify(runs) {
      await waitFor(async () => (await api.counts()).runs >= runs, {
        what: `${runs} runs`,
        timeoutMs: 300_000,
      });
      const counts = await api.counts();
      if (counts.runs !== runs || counts.repeated + counts.outOfOrder > 0)
        throw new Error(`${runs} runs were to come, once and in order: ${JSON.stringify(counts)}`);
    },
    async close() {
      await Promise.all([load.stop(), service.stop()]);
      await api.stop();
      await redis.stop();
    },
  };
}
