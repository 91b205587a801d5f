import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import { percentile, summarize } from '../measure/statistics';
import type { OneByOneOrder, SentPush } from '../processes/one-by-one';
import type { BenchApi } from '../stage/bench-api';
import { startChild } from '../stage/child';
import { openHooksStage } from '../stage/hooks-stage';

const HOOKS = 50;
/** In all rounds together. */
const PUSHES = 500;
const PAUSE_MS = 15;

/**
 * Of each push, how long after its first byte its run was asked for (ms). @throws Error when a run
 * is missing
 */
async function latencies(api: BenchApi, sent: SentPush[]): Promise<number[]> {
  const came = new Map((await api.runTimes()).map(({ hash, at }) => [hash, at]));
  return sent.map(({ hash, at }) => {
    const run = came.get(hash);
    if (run === undefined) throw new Error(`The push ${hash} had no run`);
    return run - at;
  });
}

/** How long a single push takes while nothing else is to be done. */
export const pushIdle: BenchCase = {
  name: 'push-idle',
  what: 'from the first byte of a single push to the call of the API, while nothing else is to be done',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openHooksStage({ folder, hooks: HOOKS });
    const express = await startChild('express-direct');
    const sender = await startChild('one-by-one');
    try {
      const { api } = stage;
      const perRound = Math.ceil(PUSHES / pairs);
      const all = { ours: [] as number[], limit: [] as number[] };

      async function measure(side: 'ours' | 'limit', url: string, round: number): Promise<number> {
        await api.reset();
        const [{ secret = '' } = {}] = stage.hooks;
        const hooks =
          side === 'ours' ? stage.hooks : stage.hooks.map((hook) => ({ ...hook, secret }));
        const order: OneByOneOrder = {
          url,
          hooks,
          amount: perRound,
          round: round + 1,
          pauseMs: PAUSE_MS,
        };
        const sent = await sender.ask<SentPush[]>('sendOneByOne', order);
        await stage.verify(perRound);
        const took = await latencies(api, sent);
        if (round >= 0) all[side].push(...took);
        const median = percentile(took, 50);
        say(`round ${round}: ${side} ${median.toFixed(2)} ms`);
        return median;
      }

      let directUrl = '';
      const compared = await alternate({
        pairs,
        ours: (round) => measure('ours', stage.service.url, round),
        async limit(round) {
          const [{ secret = '' } = {}] = stage.hooks;
          directUrl ||= await express.ask<string>('listen', {
            secret,
            apiUrl: api.url,
            sample: await api.sample(),
          });
          return measure('limit', directUrl, round);
        },
        compare: (ours, limit) => ours - limit,
      });
      const worst = { ours: percentile(all.ours, 99), limit: percentile(all.limit, 99) };
      const beyond = worst.ours - worst.limit;
      const limitName =
        'an Express 5 handler that reads, checks, and calls the API by the same HTTP client';
      return [
        {
          case: 'one push, idle',
          measured:
            'from its first byte to the call of the API, p50 of each round; ratio is the difference',
          unit: 'ms',
          ...compared,
          limitName,
          goal: '≤ limit + 1.5 ms',
          reached: compared.ratio.median <= 1.5,
        },
        {
          case: 'one push, idle',
          measured: `the same, p99 of all ${all.ours.length}`,
          unit: 'ms',
          ours: summarize([worst.ours]),
          limit: summarize([worst.limit]),
          limitName,
          ratio: summarize([beyond]),
          goal: '≤ limit + 6 ms',
          reached: beyond <= 6,
        },
      ];
    } finally {
      await Promise.all([express.stop(), sender.stop()]);
      await stage.close();
    }
  },
};
