/** What many values come to. */
export interface Summary {
  median: number;
  min: number;
  max: number;
  values: number[];
}

/** @throws Error for no values: a row without a measurement is none */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new Error('Nothing was measured');
  return {
    median: percentile(values, 50),
    min: Math.min(...values),
    max: Math.max(...values),
    values: [...values],
  };
}

/**
 * The value below which so many per cent of the values lie, between two of them where it falls
 * there.
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
