import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import { openHooksStage } from '../stage/hooks-stage';

/** Of either side: a hook whose deliveries were signed once takes no others. */
const HOOKS = 50;
const CONNECTIONS = 50;
const PER_ROUND = 12_000;
const GOAL = 0.9;

/** What a delivery costs that shows no signature: plain webhooks, and hooks not signed yet. */
export const unsigned: BenchCase = {
  name: 'unsigned',
  what: 'intake of unsigned pushes beside that of signed ones',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openHooksStage({ folder, hooks: 2 * HOOKS });
    const { api, service, redis } = stage;
    try {
      const cpu = { service: 0, redis: 0, 'service (signed)': 0, 'redis (signed)': 0 };

      async function intakeOf(round: number, isSigned: boolean): Promise<number> {
        await api.reset();
        await api.hold();
        const before = [service.usage().cpuSeconds, redis.usage().cpuSeconds];
        const { perSecond } = await stage.send({
          ...{ round: round + 1, amount: PER_ROUND, connections: CONNECTIONS },
          ...{ hooks: stage.hooks.slice(isSigned ? HOOKS : 0).slice(0, HOOKS), isSigned },
        });
        if (round >= 0) {
          const of = isSigned ? ' (signed)' : '';
          cpu[`service${of}`] += service.usage().cpuSeconds - (before[0] ?? 0);
          cpu[`redis${of}`] += redis.usage().cpuSeconds - (before[1] ?? 0);
        }
        await api.go();
        await stage.verify(PER_ROUND);
        say(`round ${round}: ${Math.round(perSecond)}/s ${isSigned ? 'signed' : 'unsigned'}`);
        return perSecond;
      }

      const compared = await alternate({
        pairs,
        ours: (round) => intakeOf(round, false),
        limit: (round) => intakeOf(round, true),
      });
      return [
        {
          case: 'unsigned',
          measured: `unsigned pushes of 6 KB/s, ${CONNECTIONS} connections, one process`,
          unit: '/s',
          ...compared,
          limitName: 'the same, signed',
          goal: `≥ ${GOAL}`,
          reached: compared.ratio.median >= GOAL,
          cpu,
        },
      ];
    } finally {
      await stage.close();
    }
  },
};
