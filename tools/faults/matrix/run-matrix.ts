import type { Fault } from '../faults/fault';
import { runFault, type FaultResult } from './run-fault';

export interface MatrixOptions {
  /** Each fault is played with each. */
  seeds: number[];
  /** Faults at a time. */
  jobs: number;
  long: boolean;
  /** Keep the logs of those that passed, too. */
  keep: boolean;
  folder: string;
  /** Told of each result as it comes. */
  finished: (result: FaultResult) => void;
}

/** Plays faults, some at a time. The results are in the order of the faults. */
export async function runMatrix(
  faults: readonly Fault[],
  options: MatrixOptions,
): Promise<FaultResult[]> {
  const orders = faults.flatMap((fault) => options.seeds.map((seed) => ({ fault, seed })));
  const results: FaultResult[] = [];
  // The long ones first: a long one that begins last is waited for alone.
  const left = orders
    .map((order, place) => ({ ...order, place }))
    .toSorted((one, other) => (other.fault.seconds ?? 0) - (one.fault.seconds ?? 0));
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const result = await runFault(next.fault, { ...options, seed: next.seed });
      results[next.place] = result;
      options.finished(result);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return results;
}
