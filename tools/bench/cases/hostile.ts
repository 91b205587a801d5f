import { type Attack, startHostileClient } from '@cds/testing';
import type { Bench, BenchCase, Row } from '../bench-case';
import { summarize } from '../measure/statistics';
import type { SteadyReport } from '../processes/steady-load';
import { openHooksStage } from '../stage/hooks-stage';

const CONNECTIONS = 5_200;
const HOOKS = 20;
const RATE = 20;
const SECONDS = 5;
const GOAL_MS = 1_000;
const GOAL_MB = 400;

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const HALF_SENT = [
  'POST /webhook/00000000-0000-4000-8000-000000000000 HTTP/1.1',
  'Host: x',
  'Content-Type: application/json',
  `X-Hub-Signature: sha256=${'a'.repeat(64)}`,
  'Content-Length: 100000',
  '\r\n{',
].join('\r\n');
const LONG = `X-A: ${'y'.repeat(60_000)}\r\n`;
const DEAF = { perConnection: 9, reads: false, comesBack: false };
const BUSY = { perConnection: 1, reads: true, comesBack: true };

const ATTACKS: readonly { what: string; order: Omit<Attack, 'port' | 'connections'> }[] = [
  {
    what: 'send one byte of a body and no more',
    order: { ...BUSY, request: HALF_SENT, comesBack: false },
  },
  {
    what: 'send one byte of a body and no more, again and again',
    order: { ...BUSY, request: HALF_SENT },
  },
  {
    what: 'ask nine times for /openapi.json and read nothing',
    order: { ...DEAF, request: get('/openapi.json') },
  },
  {
    what: 'ask with 60 KB of headers for a hook that is none, again and again',
    order: { ...BUSY, request: get('/webhook/00000000-0000-4000-8000-000000000000', LONG) },
  },
  {
    what: 'ask with 60 KB of headers for /mon/status, again and again',
    order: { ...BUSY, request: get('/mon/status', LONG) },
  },
];

/** How long deliveries wait, and how much memory the service takes, while strangers mean harm. */
export const hostile: BenchCase = {
  name: 'hostile',
  what: `answers to deliveries and memory under ${CONNECTIONS} hostile connections`,
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const rows: Row[] = [];
    let round = 0;
    for (const { what, order } of ATTACKS) {
      const medians: number[] = [];
      const quiet: number[] = [];
      const worst: number[] = [];
      const memory: number[] = [];
      for (let pair = 0; pair < pairs; pair += 1) {
        // Each with a process of its own, whose peak of memory is that of the attack.
        const stage = await openHooksStage({ folder, hooks: HOOKS });
        const client = await startHostileClient();
        try {
          const port = Number(new URL(stage.service.url).port);
          const send = (): Promise<SteadyReport> =>
            stage.sendSteadily({ rate: RATE, seconds: SECONDS, round: (round += 1) });
          await send();
          quiet.push((await send()).worst);
          await client.attack({ port, connections: CONNECTIONS, ...order });
          const report = await send();
          medians.push(report.p50);
          worst.push(report.worst);
          memory.push(stage.service.usage().peakMemoryMb);
          say(`${what}: p50 ${report.p50.toFixed(1)} ms, worst ${report.worst.toFixed(0)} ms`);
        } finally {
          await client.stop();
          await stage.close();
        }
      }
      const taken = summarize(worst);
      rows.push({
        case: 'hostile',
        measured: `slowest of signed pushes at ${RATE}/s while ${CONNECTIONS} connections ${what}`,
        unit: 'ms',
        ours: taken,
        limit: summarize(quiet),
        limitName: 'the same without the attack',
        goal: `≤ ${GOAL_MS} ms`,
        reached: taken.median <= GOAL_MS,
        memoryMb: { hooks: Math.max(...memory) },
        notes: [
          `p50 of each round: median ${summarize(medians).median.toFixed(1)} ms; all were answered 200 at the first attempt`,
          `memory is to stay below ${GOAL_MB} MB`,
        ],
      });
    }
    return rows;
  },
};
