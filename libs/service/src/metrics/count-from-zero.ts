import type { Counter } from 'prom-client';

/** Begins a counter at 0 for all these values of its labels: the first event is an increase. */
export function countFromZero<T extends string>(
  counter: Counter<T>,
  values: Record<T, readonly string[]>,
): void {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, ofLabel] of Object.entries<readonly string[]>(values))
    combinations = combinations.flatMap((labels) =>
      ofLabel.map((value) => ({ ...labels, [label]: value })),
    );
  for (const labels of combinations) counter.inc(labels as Record<T, string>, 0);
}
