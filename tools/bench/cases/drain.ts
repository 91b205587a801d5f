import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import type { RunLoopOrder } from '../processes/run-loop';
import { startChild } from '../stage/child';
import { type HooksStage, openHooksStage } from '../stage/hooks-stage';

const HOOKS = 500;
const PER_HOOK = 20;
const RUNS = HOOKS * PER_HOOK;
/** Runs that the service asks for at once while the API answers at its usual pace. */
const PARALLEL = 20;

/**
 * Fills the lists of all hooks while the API answers nothing, lets it go, and waits until all is
 * done.
 */
async function drainOnce(stage: HooksStage, round: number): Promise<DrainRound> {
  const { api, service, redis } = stage;
  await api.reset();
  await api.hold();
  await stage.send({ round, amount: RUNS, connections: 50 });
  const before = { service: service.usage().cpuSeconds, redis: redis.usage().cpuSeconds };
  const { held, at } = await api.go();
  await stage.verify(RUNS);
  const { lastAt } = await api.counts();
  return {
    // Those that were held had been asked for before.
    perSecond: ((RUNS - held) * 1000) / (lastAt - at),
    service: service.usage().cpuSeconds - before.service,
    redis: redis.usage().cpuSeconds - before.redis,
  };
}

interface DrainRound {
  perSecond: number;
  /** CPU seconds. */
  service: number;
  redis: number;
}

/** Working off what piled up: each run asked for once, those of a hook in order. */
export const drain: BenchCase = {
  name: 'drain',
  what: `runs asked of the API in a second, ${RUNS.toLocaleString('en-US')} executions over ${HOOKS} hooks`,
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openHooksStage({ folder, hooks: HOOKS });
    const loop = await startChild('run-loop');
    try {
      const { api } = stage;
      const cpu = { service: 0, redis: 0, limit: 0 };
      const compared = await alternate({
        pairs,
        async ours(round) {
          const { perSecond, service, redis } = await drainOnce(stage, round + 1);
          if (round >= 0) {
            cpu.service += service;
            cpu.redis += redis;
          }
          say(`round ${round}: ${Math.round(perSecond)}/s`);
          return perSecond;
        },
        async limit(round) {
          await api.reset();
          const order: RunLoopOrder = {
            apiUrl: api.url,
            sample: await api.sample(),
            uuids: stage.hooks.map(({ uuid }) => uuid),
            perHook: PER_HOOK,
            round: round + 1,
            parallel: PARALLEL,
          };
          const before = loop.usage().cpuSeconds;
          const perSecond = await loop.ask<number>('loop', order);
          if (round >= 0) cpu.limit += loop.usage().cpuSeconds - before;
          await stage.verify(RUNS);
          say(`round ${round}: a loop ${Math.round(perSecond)}/s`);
          return perSecond;
        },
      });
      return [
        {
          case: 'drain',
          measured: `runs/s, ${RUNS.toLocaleString('en-US')} executions over ${HOOKS} hooks`,
          unit: '/s',
          ...compared,
          limitName: `a loop that posts the same bodies by the same HTTP client, ${PARALLEL} at a time, with no queue`,
          goal: '≥ 0.70',
          reached: compared.ratio.median >= 0.7,
          cpu,
          memoryMb: {
            service: stage.service.usage().peakMemoryMb,
            redis: stage.redis.usage().peakMemoryMb,
          },
        },
      ];
    } finally {
      await loop.stop();
      await stage.close();
    }
  },
};
