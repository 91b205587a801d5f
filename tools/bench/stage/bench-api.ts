import type { ApiCounts, Heartbeat, LetGo, RunSample } from '../processes/cds-api';
import { type Child, startChild } from './child';

/** The stand-in of the CDS API, in a process of its own. */
export interface BenchApi {
  url: string;
  child: Child;
  /** The hooks that it lists, as `GET /workflow/hook` answers them. */
  list(hooks: readonly object[]): Promise<void>;
  /** Runs are not answered until `go`. */
  hold(): Promise<void>;
  go(): Promise<LetGo>;
  /** Whoever asks for all hooks waits until `goList`. */
  holdList(): Promise<void>;
  goList(): Promise<void>;
  /** Refuses the next run with 401, as an API does that has forgotten the service. */
  forget(): Promise<void>;
  /** The registrations that followed since the last `reset`. */
  heartbeats(): Promise<Heartbeat[]>;
  counts(): Promise<ApiCounts>;
  /**
   * The first run that came, for a caller that sends the same. @throws Error while none has
   * come
   */
  sample(): Promise<RunSample>;
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
    async sample() {
      const sample = await child.ask<RunSample | undefined>('sample');
      if (!sample) throw new Error('No run has come yet');
      return sample;
    },
    holdList: () => child.ask('holdList'),
    goList: () => child.ask('goList'),
    forget: () => child.ask('forget'),
    heartbeats: () => child.ask('heartbeats'),
    counts: () => child.ask('counts'),
    runTimes: () => child.ask('runTimes'),
    removalTimes: () => child.ask('removalTimes'),
    reset: () => child.ask('reset'),
    stop: () => child.stop(),
  };
}
