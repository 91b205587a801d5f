import { availableParallelism } from 'node:os';
import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { Bench, BenchCase, Row } from '../bench-case';
import { summarize } from '../measure/statistics';
import { newToken } from '../processes/bitbucket-world';
import type { LoadReport } from '../processes/load';
import { type BenchApi, startBenchApi } from '../stage/bench-api';
import { startBenchBitbucket } from '../stage/bench-bitbucket';
import { type BenchRedis, startBenchRedis } from '../stage/bench-redis';
import { type Child, startChild } from '../stage/child';
import { makeHooks, startHooksService } from '../stage/hooks-service';
import { projectHeaders, startVcsService } from '../stage/vcs-service';

const PROCESSES = [1, 2, 4];
const HOOKS = 48;
const DELIVERIES = 4_800;
const READS = 4_000;
const AT_ONCE = 48;
/** For each process, before anything is counted: code is compiled in them. */
const WARM_UP = 960;

const FIGURES = {
  intake: 'hooks: deliveries answered 200',
  drain: 'hooks: runs asked of the API for these',
  reads: 'vcs: reads of a commit, Bitbucket without latency',
} as const;
type Figure = keyof typeof FIGURES;

/** Whether more processes do more. */
export const scale: BenchCase = {
  name: 'scale',
  what: 'hooks with 1, 2 and 4 workers, and as many processes of vcs (only when it is named)',
  onlyWhenNamed: true,
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const redis = await startBenchRedis(folder);
    const api = await startBenchApi();
    const bitbucket = await startBenchBitbucket(0);
    const load = await startChild('load');
    const vcsLoad = await startChild('vcs-load');
    const stage = { folder, redis, api, load };
    const seen = new Map<string, number[]>();
    try {
      for (let round = 0; round < pairs; round += 1) {
        for (const count of PROCESSES) {
          const figures = {
            ...(await measureHooks(stage, count, round)),
            reads: await measureVcs({ ...stage, bitbucket, vcsLoad }, count, round),
          };
          for (const [figure, perSecond] of Object.entries(figures)) {
            const key = `${figure} ${count}`;
            seen.set(key, [...(seen.get(key) ?? []), perSecond]);
          }
          say(`round ${round}, ${count}: ${JSON.stringify(figures)}`);
        }
      }
    } finally {
      await Promise.all([load.stop(), vcsLoad.stop(), bitbucket.stop(), api.stop()]);
      await redis.stop();
    }
    const of = (figure: Figure, count: number): number[] => seen.get(`${figure} ${count}`) ?? [];
    return (Object.keys(FIGURES) as Figure[]).flatMap((figure) =>
      PROCESSES.slice(1).map((count) => ({
        case: 'scale',
        measured: `${FIGURES[figure]}: ${count} processes on ${availableParallelism()} cores`,
        unit: '/s',
        ours: summarize(of(figure, count)),
        limit: summarize(of(figure, 1)),
        limitName: 'one process',
        ratio: summarize(of(figure, count).map((value, at) => value / (of(figure, 1)[at] ?? NaN))),
        goal: 'shown',
      })),
    );
  },
};

interface Stage {
  folder: string;
  redis: BenchRedis;
  api: BenchApi;
  load: Child;
}

/** All deliveries are taken while the API holds its runs back; then it lets go. */
async function measureHooks(
  { folder, redis, api, load }: Stage,
  count: number,
  round: number,
): Promise<{ intake: number; drain: number }> {
  const { listed, loaded } = makeHooks(HOOKS);
  await redis.redis.flushall();
  await api.list(listed);
  const service = await startHooksService({
    folder,
    redisPort: redis.port,
    apiUrl: api.url,
    env: { CDS_HOOKS_WORKERS: String(count) },
  });
  const { url } = service;
  try {
    await waitFor(
      async () => {
        const text = await (await fetch(`${url}/mon/metrics`)).text();
        return text.includes(`\ncds_hooks_processes ${count}\n`);
      },
      { what: `${count} processes to run`, timeoutMs: 60_000 },
    );
    await waitFor(async () => (await redis.redis.scard(KEYS.tasks)) >= HOOKS, {
      what: 'the tasks to be in Redis',
      timeoutMs: 60_000,
    });
    let sent = 0;
    const send = async (amount: number): Promise<number> => {
      sent += 1;
      const report = await load.ask<LoadReport>('load', {
        ...{ url, hooks: loaded, connections: AT_ONCE, amount },
        round: round * 1_000 + count * 100 + sent,
      });
      if (report.answered !== amount)
        throw new Error(`Not all were taken: ${JSON.stringify(report)}`);
      return amount / report.seconds;
    };
    const drained = async (amount: number): Promise<void> => {
      await waitFor(async () => (await api.counts()).runs >= amount, {
        what: `${amount} runs`,
        timeoutMs: 120_000,
      });
      const { runs, repeated, outOfOrder } = await api.counts();
      if (runs !== amount || repeated + outOfOrder > 0)
        throw new Error(`Runs were to come once and in order: ${runs} ${repeated} ${outOfOrder}`);
    };
    await api.reset();
    await send(WARM_UP * count);
    await drained(WARM_UP * count);
    await api.reset();
    await api.hold();
    const intake = await send(DELIVERIES);
    const began = performance.timeOrigin + performance.now();
    await api.go();
    await drained(DELIVERIES);
    return { intake, drain: DELIVERIES / (((await api.counts()).lastAt - began) / 1000) };
  } finally {
    await service.stop();
  }
}

async function measureVcs(
  o: Stage & { bitbucket: { apiUrl: string; oauthUrl: string }; vcsLoad: Child },
  count: number,
  round: number,
): Promise<number> {
  const services = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      startVcsService({
        folder: o.folder,
        redisPort: o.redis.port,
        apiUrl: o.api.url,
        bitbucket: o.bitbucket,
        name: `vcs-${index}`,
      }),
    ),
  );
  try {
    const read = (amount: number, part: number): Promise<number> =>
      o.vcsLoad.ask<number>('load', {
        urls: services.map(({ url }) => url),
        headers: projectHeaders(newToken('even', 1)),
        repo: 'acme/small',
        atOnce: AT_ONCE,
        amount,
        round: (round * 10 + count) * 10 + part,
      });
    await read(WARM_UP * count, 0);
    return await read(READS, 1);
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}
