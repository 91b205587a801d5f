import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import { summarize } from '../measure/statistics';
import { openHooksStage } from '../stage/hooks-stage';

const HOOKS = 50;
const CONNECTIONS = 50;
const PER_ROUND = 12_000;
const LEAST_INTAKE = 0.75;
const LEAST_RUNS = 100;

/** Taking in and working off share a process: how much of the one is left beside the other. */
export const workingOff: BenchCase = {
  name: 'working-off',
  what: 'intake while the API answers each run at once, beside intake while it answers none',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openHooksStage({ folder, hooks: HOOKS });
    const { api, service, redis } = stage;
    try {
      const runsPerSecond: number[] = [];
      const cpu = { service: 0, redis: 0, 'service (held)': 0, 'redis (held)': 0 };

      /** @returns deliveries a second */
      async function intakeOf(round: number, isHeld: boolean): Promise<number> {
        await api.reset();
        if (isHeld) await api.hold();
        const before = [service.usage().cpuSeconds, redis.usage().cpuSeconds];
        const order = { round: round + 1, amount: PER_ROUND, connections: CONNECTIONS };
        const report = await stage.send(order);
        const { runs } = await api.counts();
        if (round >= 0) {
          const of = isHeld ? ' (held)' : '';
          cpu[`service${of}`] += service.usage().cpuSeconds - (before[0] ?? 0);
          cpu[`redis${of}`] += redis.usage().cpuSeconds - (before[1] ?? 0);
          if (!isHeld) runsPerSecond.push(runs / report.seconds);
        }
        if (isHeld) await api.go();
        await stage.verify(PER_ROUND);
        say(
          `round ${round}: ${Math.round(report.perSecond)}/s, p99 ${report.p99.toFixed(0)} ms${isHeld ? ', held' : `, ${runs} runs in ${report.seconds.toFixed(1)} s`}`,
        );
        return report.perSecond;
      }

      const compared = await alternate({
        pairs,
        ours: (round) => intakeOf(round, false),
        limit: (round) => intakeOf(round, true),
      });
      const runs = summarize(runsPerSecond);
      return [
        {
          case: 'working-off',
          measured: `signed pushes of 6 KB/s while runs are asked for, ${CONNECTIONS} connections, one process`,
          unit: '/s',
          ...compared,
          limitName: 'the same while the API answers no run',
          goal: `≥ ${LEAST_INTAKE}`,
          reached: compared.ratio.median >= LEAST_INTAKE,
          cpu,
        },
        {
          case: 'working-off',
          measured: 'runs/s asked for meanwhile',
          unit: '/s',
          ours: runs,
          goal: `≥ ${LEAST_RUNS}`,
          reached: runs.median >= LEAST_RUNS,
        },
      ];
    } finally {
      await stage.close();
    }
  },
};
