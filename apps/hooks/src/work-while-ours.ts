import type { RunningModule } from './modules/hook-module';
import type { Resources } from './resources';
import { startWork } from './start-work';

/** How long work in progress may take when the state has another owner. */
const PAUSE_MS = 2_000;

/** Processes executions while the state in Redis is that of this CDS. */
export function createWorkWhileOurs(
  resources: Resources,
  modules: readonly RunningModule[],
  options: {
    ending: AbortSignal;
    /** Whether modules receive by themselves, and not only what HTTP brings. */
    receives: boolean;
  },
) {
  const { ending, receives } = options;
  let work: ReturnType<typeof startWork> | undefined;
  let isRunning = false;
  let stopping: Promise<void> = Promise.resolve();

  function stop(deadlineMs: number): Promise<void> {
    const before = work;
    work = undefined;
    isRunning = false;
    stopping = Promise.all([
      stopping,
      before?.stop(deadlineMs),
      ...modules.map((module) => module.stop?.()),
    ]).then(() => undefined);
    return stopping;
  }

  return {
    start(): void {
      if (isRunning || ending.aborted) return;
      isRunning = true;
      if (!resources.config.disable) work = startWork(resources, modules, ending);
      if (receives) for (const module of modules) module.start?.();
    },

    /** Until `start` is called again. */
    pause: (): void => void stop(PAUSE_MS),

    stop,
  };
}
