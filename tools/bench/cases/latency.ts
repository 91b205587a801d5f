import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import { summarize } from '../measure/statistics';
import type { SteadyReport } from '../processes/steady-load';
import { startChild } from '../stage/child';
import { openHooksStage } from '../stage/hooks-stage';

const HOOKS = 50;
const CONNECTIONS = 50;
/** To find out what the service takes at most. */
const PROBE = 4_000;
const SECONDS = 3;
/** Of what the service takes at most. */
const SHARE = 0.5;
const GOAL = 3;

/** How long a delivery waits for its answer while the service is busy, but not too busy. */
export const latency: BenchCase = {
  name: 'latency',
  what: 'worst latency of intake at half of the load that it reaches',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openHooksStage({ folder, hooks: HOOKS });
    const express = await startChild('express-limit');
    try {
      const [{ secret = '' } = {}] = stage.hooks;
      const expressUrl = await express.ask<string>('listen', { secret });
      const sameSecret = stage.hooks.map((hook) => ({ ...hook, secret }));
      let probes = 0;
      const probe = async (): Promise<number> => {
        probes += 1;
        const order = { amount: PROBE, connections: CONNECTIONS, round: 1_000 + probes };
        const { perSecond } = await counted(PROBE, () => stage.send(order));
        return perSecond;
      };
      // The first compiles the code.
      await probe();
      const most = await probe();
      const rate = Math.round(most * SHARE);
      const steady = { rate, seconds: SECONDS, connections: CONNECTIONS };
      say(`${Math.round(most)}/s at most: ${rate}/s from now on`);

      /** Runs are held while it is sent, as in `intake`, and asked for and counted afterwards. */
      async function counted<T extends { answered: number }>(
        amount: number,
        send: () => Promise<T>,
      ): Promise<T> {
        await stage.api.reset();
        await stage.api.hold();
        const report = await send();
        if (report.answered !== amount) throw new Error(`${report.answered} of ${amount} answered`);
        await stage.api.go();
        await stage.verify(amount);
        return report;
      }

      const others: Record<'ours' | 'limit', SteadyReport[]> = { ours: [], limit: [] };
      const note = (side: 'ours' | 'limit', round: number, report: SteadyReport): number => {
        if (round >= 0) others[side].push(report);
        say(`round ${round}: ${side} p99 ${report.p99.toFixed(1)} ms`);
        return report.p99;
      };
      const amount = Math.floor(rate * SECONDS);
      const compared = await alternate({
        pairs,
        ours: async (round) =>
          note(
            'ours',
            round,
            await counted(amount, () => stage.sendSteadily({ ...steady, round: round + 1 })),
          ),
        async limit(round) {
          const order = { url: expressUrl, hooks: sameSecret, round: round + 1, ...steady };
          const report = await stage.load.ask<SteadyReport>('steady', order);
          if (report.answered !== amount) throw new Error(`Express: ${JSON.stringify(report)}`);
          return note('limit', round, report);
        },
      });
      const median = (side: 'ours' | 'limit', key: keyof SteadyReport): string =>
        summarize(others[side].map((report) => report[key])).median.toFixed(1);
      return [
        {
          case: 'latency',
          measured: `p99 of signed pushes of 6 KB at ${rate}/s, half of what intake reaches`,
          unit: 'ms',
          ...compared,
          limitName: 'the Express 5 handler of `intake` at the same rate',
          goal: `≤ ${GOAL}`,
          reached: compared.ratio.median <= GOAL,
          notes: [
            `p50: ${median('ours', 'p50')} ms beside ${median('limit', 'p50')} ms; worst: ${median('ours', 'worst')} ms beside ${median('limit', 'worst')} ms`,
            `sent evenly spaced, whatever the answers do; the load itself was late by ${median('ours', 'late99')} ms (p99), which does not count`,
          ],
        },
      ];
    } finally {
      await express.stop();
      await stage.close();
    }
  },
};
