import { join } from 'node:path';
import { type RunningProcess, startProcess, waitFor } from '@cds/testing';
import { type Memory, memoryOf } from './memory';

/** A service that can be started, killed, and started again under the same name and port. */
export interface Replica {
  name: string;
  url: string;
  start(env?: Record<string, string>): Promise<void>;
  isRunning(): boolean;
  /** Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves with the exit code. */
  stop(): Promise<number | null>;
  freeze(): void;
  thaw(): void;
  /** The most of all processes that it was; undefined where there is no /proc. */
  memory(): Memory | undefined;
}

/** @param options.bundle the built service; @param options.preload a module to load before it */
export function createReplica(options: {
  name: string;
  bundle: string;
  port: number;
  folder: string;
  env: Record<string, string>;
  preload?: string | undefined;
}): Replica {
  const { name, bundle, port, folder } = options;
  const url = `http://127.0.0.1:${port}`;
  let running: RunningProcess | undefined;
  let most: Memory | undefined;

  function look(): void {
    const memory = running?.isRunning() ? memoryOf(running.pid) : undefined;
    if (memory) most = { now: memory.now, peak: Math.max(memory.peak, most?.peak ?? 0) };
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    look();
    const ending = running;
    ending?.kill(signal);
    return (await ending?.exited)?.code ?? null;
  }

  return {
    name,
    url,
    async start(env = {}) {
      if (running?.isRunning()) throw new Error(`${name} runs already`);
      running = await startProcess({
        command: process.execPath,
        args: [...(options.preload ? ['--require', options.preload] : []), bundle],
        env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...options.env, ...env },
        cwd: folder,
        log: join(folder, `${name}.log`),
      });
      const own = running;
      await waitFor(async () => !own.isRunning() || (await fetch(`${url}/mon/version`)).ok, {
        what: `${name} to listen`,
      });
      if (!own.isRunning()) throw new Error(`${name} ended by itself: see its log in ${folder}`);
    },
    isRunning: () => running?.isRunning() ?? false,
    async kill() {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
    freeze: () => void running?.kill('SIGSTOP'),
    thaw: () => void running?.kill('SIGCONT'),
    memory() {
      look();
      return most;
    },
  };
}
