import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import type { LoadReport } from '../processes/load';
import { startChild } from '../stage/child';
import { openHooksStage } from '../stage/hooks-stage';

const HOOKS = 50;
const CONNECTIONS = 50;
const PER_ROUND = 15_000;

/**
 * Taking deliveries in: each is signed, checked, kept out of twice, and in Redis before its answer.
 */
export const intake: BenchCase = {
  name: 'intake',
  what: 'signed pushes of 6 KB answered 200 in a second, each in Redis before',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openHooksStage({ folder, hooks: HOOKS });
    const express = await startChild('express-limit');
    try {
      const [{ secret = '' } = {}] = stage.hooks;
      const expressUrl = await express.ask<string>('listen', { secret });
      const sameSecret = stage.hooks.map((hook) => ({ ...hook, secret }));
      const cpu = { service: 0, redis: 0, limit: 0 };
      const compared = await alternate({
        pairs,
        async ours(round) {
          await stage.api.reset();
          await stage.api.hold();
          const before = [stage.service.usage().cpuSeconds, stage.redis.usage().cpuSeconds];
          const report = await stage.send({
            round: round + 1,
            amount: PER_ROUND,
            connections: CONNECTIONS,
          });
          if (round >= 0) {
            cpu.service += stage.service.usage().cpuSeconds - (before[0] ?? 0);
            cpu.redis += stage.redis.usage().cpuSeconds - (before[1] ?? 0);
          }
          await stage.api.go();
          await stage.verify(PER_ROUND);
          say(`round ${round}: ${Math.round(report.perSecond)}/s`);
          return report.perSecond;
        },
        async limit(round) {
          const before = express.usage().cpuSeconds;
          const report = await stage.load.ask<LoadReport>('load', {
            url: expressUrl,
            hooks: sameSecret,
            connections: CONNECTIONS,
            amount: PER_ROUND,
            round: round + 1,
          });
          if (round >= 0) cpu.limit += express.usage().cpuSeconds - before;
          say(`round ${round}: Express ${Math.round(report.perSecond)}/s`);
          return report.perSecond;
        },
      });
      return [
        {
          case: 'intake',
          measured: `signed pushes of 6 KB/s, ${CONNECTIONS} connections, one process`,
          unit: '/s',
          ...compared,
          limitName: 'an Express 5 handler that reads, checks, answers and stores nothing',
          goal: '≥ 1.2',
          reached: compared.ratio.median >= 1.2,
          cpu,
          memoryMb: {
            service: stage.service.usage().peakMemoryMb,
            redis: stage.redis.usage().peakMemoryMb,
          },
        },
      ];
    } finally {
      await express.stop();
      await stage.close();
    }
  },
};
