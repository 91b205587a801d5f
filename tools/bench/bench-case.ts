import type { Summary } from './measure/statistics';

/** What a case is run with. */
export interface Bench {
  /** Own folder of the case, removed afterwards. */
  folder: string;
  /** How often each side is measured. */
  pairs: number;
  /** Tells what goes on, for whoever waits. */
  say: (sentence: string) => void;
}

/** One line of the table. */
export interface Row {
  case: string;
  /** What was measured, in words. */
  measured: string;
  unit: string;
  ours: Summary;
  /** What ran beside it, in turn. */
  limit?: Summary;
  limitName?: string;
  /** ours : limit (or a difference, as `goal` says), of each pair; its median counts. */
  ratio?: Summary;
  goal: string;
  /** Whether the median reaches the goal; undefined where the row is shown for comparison only. */
  reached?: boolean;
  /** CPU seconds, of all rounds of ours. */
  cpu?: Record<string, number>;
  /** Most resident memory in MB. */
  memoryMb?: Record<string, number>;
  notes?: string[];
}

export interface BenchCase {
  name: string;
  what: string;
  /** Not part of a run that names no case. */
  onlyWhenNamed?: true;
  run(bench: Bench): Promise<Row[]>;
}
