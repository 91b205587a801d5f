import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import { percentile, summarize } from '../measure/statistics';
import type { RemovalLoopOrder } from '../processes/removal-loop';
import { startChild } from '../stage/child';
import { type HooksStage, openHooksStage } from '../stage/hooks-stage';
import { makeCleanups, scheduleAll, scheduleRaw } from '../stage/pending-cleanups';

const HOOKS = 500;
const COUNT = 10_000;
/** Removals that the service asks for at a time. */
const PARALLEL = 20;
/** Over so long those are due that are not all due at once. */
const SPREAD_MS = 4_000;
const RAW_KEY = 'bench:raw-cleanups';
const TO_FIRE = COUNT.toLocaleString('en-US');

interface Fired {
  bytesEach: number;
  /** From the first due moment to the last removal (s). */
  seconds: number;
  /** How late the removals were (ms). */
  lateness: number[];
}

/**
 * Schedules them, and waits until the API was asked for each removal. @throws Error when one is
 * missing or early
 */
async function fire(stage: HooksStage, round: number, spreadMs: number): Promise<Fired> {
  const { api, redis } = stage;
  await api.reset();
  const hooks = stage.hooks.map(({ uuid }) => uuid);
  const before = await redis.usedMemory();
  // As they are after a deletion, and then, as if the day were almost over, with a date that is
  // near.
  const began = Date.now();
  const tomorrow = began + 86_400_000;
  await scheduleAll(redis, makeCleanups({ count: COUNT, hooks, round, dueOf: () => tomorrow }));
  const bytesEach = ((await redis.usedMemory()) - before) / COUNT;
  // Longer than scheduling takes, by what it took just now.
  const due = Date.now() + 2 * (Date.now() - began) + 500;
  const dueOf = (index: number): number => due + Math.floor((index * spreadMs) / COUNT);
  await scheduleAll(redis, makeCleanups({ count: COUNT, hooks, round, dueOf }));
  if (Date.now() >= due) throw new Error('Some were due before all were scheduled');
  await waitFor(async () => (await api.counts()).removals >= COUNT, {
    what: `${COUNT} removals`,
    timeoutMs: 120_000,
  });
  const times = await api.removalTimes();
  if (times.length !== COUNT) throw new Error(`${times.length} removals instead of ${COUNT}`);
  await waitFor(async () => (await redis.redis.zcard(KEYS.cleanups)) === 0, {
    what: 'all cleanups to be forgotten',
    timeoutMs: 15_000,
  });
  // In the order in which they are due: which removal is whose makes no difference to how late they
  // are as a whole.
  const lateness = times.sort((a, b) => a - b).map((at, index) => at - dueOf(index));
  if (Math.min(...lateness) < -1) throw new Error('A removal came before it was due');
  return { bytesEach, seconds: (Math.max(...times) - due) / 1_000, lateness };
}

/**
 * Removals of the runs of deleted branches: what they take while they wait, and how late they are.
 */
export const cleanups: BenchCase = {
  name: 'cleanups',
  what: `${TO_FIRE} scheduled removals: their memory, and how soon they are done once due`,
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openHooksStage({ folder, hooks: HOOKS });
    const loop = await startChild('removal-loop');
    try {
      const memory = { ours: [] as number[], limit: [] as number[] };
      const late: number[] = [];
      const cpu = { service: 0, redis: 0 };
      const { redis, service, api } = stage;
      const atOnce = await alternate({
        pairs,
        async ours(round) {
          const before = [service.usage().cpuSeconds, redis.usage().cpuSeconds];
          const fired = await fire(stage, round, 0);
          if (round < 0) return fired.seconds;
          cpu.service += service.usage().cpuSeconds - (before[0] ?? 0);
          cpu.redis += redis.usage().cpuSeconds - (before[1] ?? 0);
          memory.ours.push(fired.bytesEach);
          late.push(percentile(fired.lateness, 99) / 1_000);
          say(`round ${round}: ${fired.seconds.toFixed(1)} s, ${fired.bytesEach} bytes each`);
          return fired.seconds;
        },
        async limit(round) {
          await api.reset();
          const before = await redis.usedMemory();
          const raw = makeCleanups({
            count: COUNT,
            hooks: stage.hooks.map(({ uuid }) => uuid),
            round,
            dueOf: () => Date.now(),
          });
          await scheduleRaw(redis, RAW_KEY, raw);
          if (round >= 0) memory.limit.push(((await redis.usedMemory()) - before) / COUNT);
          const order: RemovalLoopOrder = {
            apiUrl: api.url,
            redisPort: redis.port,
            key: RAW_KEY,
            parallel: PARALLEL,
          };
          const ms = await loop.ask<number>('empty', order);
          say(`round ${round}: raw ${(ms / 1_000).toFixed(1)} s`);
          return ms / 1_000;
        },
      });
      const spreadLate: number[] = [];
      for (let round = 0; round < pairs; round += 1) {
        const { lateness } = await fire(stage, pairs + round, SPREAD_MS);
        spreadLate.push(percentile(lateness, 99) / 1_000);
      }
      const kilobytes = {
        ours: summarize(memory.ours.map((bytes) => bytes / 1_024)),
        limit: summarize(memory.limit.map((bytes) => bytes / 1_024)),
      };
      const limitName = 'one sorted set with the same data, emptied by a loop that calls the API';
      const common = { case: 'cleanups', limitName };
      return [
        {
          ...common,
          measured: 'memory of each that waits, in Redis',
          unit: 'KB',
          ...kilobytes,
          ratio: summarize(memory.ours.map((bytes, index) => bytes / (memory.limit[index] ?? NaN))),
          goal: '≤ 2 KB',
          reached: kilobytes.ours.median <= 2,
        },
        {
          ...common,
          measured: `until ${TO_FIRE} that are due at the same moment are done`,
          unit: 's',
          ...atOnce,
          goal: '≤ 1.5 ×',
          reached: atOnce.ratio.median <= 1.5,
          cpu,
        },
        {
          case: 'cleanups',
          measured: `how late they are then, p99`,
          unit: 's',
          ours: summarize(late),
          goal: '≤ 2 s',
          reached: summarize(late).median <= 2,
        },
        {
          case: 'cleanups',
          measured: `how late ${TO_FIRE} are that are due within ${SPREAD_MS / 1_000} s, p99`,
          unit: 's',
          ours: summarize(spreadLate),
          goal: '≤ 2 s',
          reached: summarize(spreadLate).median <= 2,
        },
      ];
    } finally {
      await loop.stop();
      await stage.close();
    }
  },
};
