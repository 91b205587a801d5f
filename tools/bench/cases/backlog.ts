import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import { summarize } from '../measure/statistics';
import { checkTaken, waitingAt } from '../stage/check-taken';
import { fillBacklog } from '../stage/fill-backlog';
import { type HooksStage, openHooksStage } from '../stage/hooks-stage';
import { useMemory } from '../stage/use-memory';

const HOOKS = 50;
const CONNECTIONS = 50;
const PER_ROUND = 15_000;
/** `BENCH_BACKLOG=1000000` needs 8 GB of memory. */
const BACKLOG = Number(process.env['BENCH_BACKLOG'] ?? 100_000);
const GOAL = 0.95;
/** Of Redis, for each byte of a body that waits. */
const MOST_MEMORY = 1.3;
/** Rounds are numbered from here, so that none is taken for the backlog. */
const FIRST_ROUND = 10;

/**
 * Whether taking in gets slower with what waits. Two services, each with a Redis of its own, side
 * by side.
 */
export const backlog: BenchCase = {
  name: 'backlog',
  what: `intake with ${BACKLOG.toLocaleString('en-US')} executions waiting beside intake with none`,
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const open = async (name: string): Promise<HooksStage> => {
      const own = join(folder, name);
      mkdirSync(own);
      const stage = await openHooksStage({ folder: own, hooks: HOOKS });
      await stage.api.hold();
      // A rewrite of the file would fall into a round of one side and not of the other.
      await stage.redis.redis.config('SET', 'auto-aof-rewrite-percentage', '0');
      return stage;
    };
    const full = await open('full');
    const empty = await open('empty');
    try {
      const began = performance.now();
      const unused = await full.redis.usedMemory();
      const bodyBytes = await fillBacklog(full, BACKLOG, 0);
      const memory = ((await full.redis.usedMemory()) - unused) / bodyBytes;
      const seconds = Math.round((performance.now() - began) / 1000);
      say(`${BACKLOG.toLocaleString('en-US')} deliveries wait after ${seconds} s`);
      // What the full one takes in stays, and would go to memory that nobody has used before; the
      // empty one's is its own.
      for (const { redis } of [full, empty]) await useMemory(redis);

      const cpu = {
        ...{ 'service (full)': 0, 'redis (full)': 0 },
        ...{ 'service (empty)': 0, 'redis (empty)': 0 },
      };
      /**
       * Nothing is answered by the API meanwhile, so that all that was sent is to be found waiting.
       */
      async function intakeOf(stage: HooksStage, round: number): Promise<number> {
        const before = await waitingAt(stage);
        const number = FIRST_ROUND + round;
        const order = { round: number, amount: PER_ROUND, connections: CONNECTIONS };
        const used = [stage.service.usage().cpuSeconds, stage.redis.usage().cpuSeconds];
        const report = await stage.send(order);
        if (round >= 0) {
          const name = stage === full ? 'full' : 'empty';
          cpu[`service (${name})`] += stage.service.usage().cpuSeconds - (used[0] ?? 0);
          cpu[`redis (${name})`] += stage.redis.usage().cpuSeconds - (used[1] ?? 0);
        }
        const more = (await waitingAt(stage)) - before;
        if (more !== PER_ROUND) throw new Error(`${PER_ROUND} were sent and ${more} wait`);
        await checkTaken(stage, number, report.sent);
        say(`round ${round}: ${Math.round(report.perSecond)}/s with ${before} waiting`);
        return report.perSecond;
      }

      const compared = await alternate({
        pairs,
        ours: (round) => intakeOf(full, round),
        async limit(round) {
          await empty.api.reset();
          await empty.api.hold();
          const perSecond = await intakeOf(empty, round);
          await empty.api.go();
          await empty.verify(PER_ROUND);
          return perSecond;
        },
      });
      return [
        {
          case: 'backlog',
          measured: `signed pushes of 6 KB/s with ${BACKLOG.toLocaleString('en-US')} executions waiting over ${HOOKS} hooks`,
          unit: '/s',
          ...compared,
          limitName: 'the same with none waiting',
          goal: `≥ ${GOAL}`,
          reached: compared.ratio.median >= GOAL,
          cpu,
          memoryMb: {
            'service (full)': full.service.usage().peakMemoryMb,
            'redis (full)': full.redis.usage().peakMemoryMb,
            'service (empty)': empty.service.usage().peakMemoryMb,
          },
          notes: [
            `Redis kept the backlog in ${Math.round((await full.redis.usedMemory()) / 2 ** 20)} MB, ${seconds} s to fill`,
          ],
        },
        {
          case: 'backlog',
          measured: 'memory in Redis of what waits, for each byte of its bodies',
          unit: '×',
          ours: summarize([memory]),
          goal: `≤ ${MOST_MEMORY}`,
          reached: memory <= MOST_MEMORY,
        },
      ];
    } finally {
      // A service that is to end waits for what it has asked of the API.
      await full.api.go();
      await Promise.all([full.close(), empty.close()]);
    }
  },
};
