import { type Summary, summarize } from './statistics';

export interface Compared {
  ours: Summary;
  limit: Summary;
  /** `compare` of each pair. */
  ratio: Summary;
}

/**
 * Measures ours and its limit in turn, ours first, so that what else the machine does meets both
 * alike.
 *
 * One round of each runs before, uncounted: code is compiled and connections are made in it.
 */
export async function alternate(options: {
  pairs: number;
  ours: (round: number) => Promise<number>;
  limit: (round: number) => Promise<number>;
  /** ours : limit when not given. */
  compare?: (ours: number, limit: number) => number;
  warmUp?: boolean;
}): Promise<Compared> {
  const { pairs, compare = (ours, limit) => ours / limit, warmUp = true } = options;
  const ours: number[] = [];
  const limit: number[] = [];
  for (let round = warmUp ? -1 : 0; round < pairs; round += 1) {
    const own = await options.ours(round);
    const other = await options.limit(round);
    if (round < 0) continue;
    ours.push(own);
    limit.push(other);
  }
  const ratios = ours.map((value, index) => compare(value, limit[index] ?? Number.NaN));
  return { ours: summarize(ours), limit: summarize(limit), ratio: summarize(ratios) };
}
