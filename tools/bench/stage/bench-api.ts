import type { ApiCounts } from '../processes/cds-api';
import { type Child, startChild } from './child';

/** The stand-in of the CDS API, in a process of its own. */
export interface BenchApi {
  url: string;
  child: Child;
  /** The hooks that it lists, as `GET /workflow/hook` answers them. */
  list(hooks: readonly object[]): Promise<void>;
  /** Runs are not answered until `go`. */
  hold(): Promise<void>;
  go(): Promise<void>;
  counts(): Promise<ApiCounts>;
  /** When each commit's first run came, milliseconds since the epoch. */
  runTimes(): Promise<{ hash: string; at: number }[]>;
  removalTimes(): Promise<number[]>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function startBenchApi(): Promise<BenchApi> {
  const child = await startChild('cds-api');
  const url = await child.ask<string>('listen');
  return {
    url,
    child,
    list: (hooks) => child.ask('list', JSON.stringify(hooks)),
    hold: () => child.ask('hold'),
    go: () => child.ask('go'),
    counts: () => child.ask('counts'),
    runTimes: () => child.ask('runTimes'),
    removalTimes: () => child.ask('removalTimes'),
    reset: () => child.ask('reset'),
    stop: () => child.stop(),
  };
}
