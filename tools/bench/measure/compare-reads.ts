import type { BitbucketCalls } from '../stage/bench-bitbucket';
import type { VcsStage } from '../stage/vcs-stage';
import { alternate, type Compared } from './alternate';

export interface ComparedReads {
  row: Compared & { unit: string; limitName: string; cpu: Record<string, number> };
  /** How many calls each side took. */
  calls: string;
}

/**
 * Measures how long a read of `vcs` takes beside the same calls made with nothing in between. Both
 * have to read the same, in as many pages: else ours answered from what it remembered.
 *
 * @throws Error when one of them reads something else
 */
export async function compareReads(options: {
  stage: VcsStage;
  pairs: number;
  say: (sentence: string) => void;
  expected: number;
  /** What the calls are for that each side has to make alike. */
  list: string;
  ours: (round: number) => Promise<string[]>;
  limit: (round: number) => Promise<string[]>;
}): Promise<ComparedReads> {
  const { stage, pairs, say, expected, list } = options;
  let read: string[] = [];
  let spent: BitbucketCalls = {};
  let calls = '';
  let cpu = 0;
  const timed = async (work: Promise<string[]>): Promise<[number, string[]]> => {
    const began = performance.now();
    const values = await work;
    return [performance.now() - began, values];
  };
  const compared = await alternate({
    pairs,
    async ours(round) {
      await stage.bitbucket.calls();
      const before = stage.service.usage().cpuSeconds;
      const [ms, values] = await timed(options.ours(round));
      if (round >= 0) cpu += stage.service.usage().cpuSeconds - before;
      [read, spent] = [values, await stage.bitbucket.calls()];
      say(`round ${round}: ${Math.round(ms)} ms`);
      return ms;
    },
    async limit(round) {
      const [ms, values] = await timed(options.limit(round));
      const needed = await stage.bitbucket.calls();
      requireSame(read, values, expected);
      if (spent[list] !== needed[list])
        throw new Error(`Not all was read anew: ${inWords(spent)} where ${inWords(needed)} do`);
      calls = `Bitbucket calls: ${inWords(spent)}; of the limit: ${inWords(needed)}`;
      say(`round ${round}: nothing in between ${Math.round(ms)} ms. ${calls}`);
      return ms;
    },
  });
  return {
    row: {
      ...compared,
      unit: 'ms',
      limitName:
        'the same pages with fetch: what has to follow another call does, all else at once',
      cpu: { service: cpu },
    },
    calls,
  };
}

function requireSame(ours: string[], others: string[], expected: number): void {
  const [a, b] = [[...ours].sort(), [...others].sort()];
  const isSame = a.length === b.length && a.every((value, index) => value === b[index]);
  if (!isSame || new Set(a).size !== expected)
    throw new Error(`${expected} were to be read: vcs gave ${a.length}, Bitbucket ${b.length}`);
}

function inWords(calls: BitbucketCalls): string {
  return (
    Object.entries(calls)
      // Once a day `vcs` looks at the webhooks of a repository, after it has answered.
      .filter(([name]) => name !== 'hooks')
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  );
}
