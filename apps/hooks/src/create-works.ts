import { startWork, type WorkDeps } from './start-work';

/** How long what is under way may take when the state is no longer ours (ms). */
const PAUSE_MS = 2_000;

/** What works off the state in Redis, while the state is ours. */
export function createWorks(deps: Omit<WorkDeps, 'killed'>) {
  let work: ReturnType<typeof startWork> | undefined;
  let stopping: Promise<void> = Promise.resolve();

  function stop(deadlineMs: number): Promise<void> {
    const before = work;
    work = undefined;
    stopping = Promise.all([stopping, before?.stop(deadlineMs)]).then(() => undefined);
    return stopping;
  }

  return {
    start(): void {
      if (work || deps.config.disable || deps.ending.aborted) return;
      const killed = new AbortController();
      const ending = AbortSignal.any([deps.ending, killed.signal]);
      work = startWork({ ...deps, ending, killed });
    },

    /** Until `start` is called again. */
    pause: (): void => void stop(PAUSE_MS),

    stop,
  };
}
