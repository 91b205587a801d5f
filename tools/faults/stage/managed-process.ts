import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Resident memory in MB: now, and the most since the process began. */
export interface Memory {
  now: number;
  peak: number;
}

/** A child process whose output goes to a file. */
export interface ManagedProcess {
  pid: number;
  isRunning(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Undefined once it has ended, and where there is no /proc. */
  memory(): Memory | undefined;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Starts a child process. It is killed when this process exits.
 *
 * @throws Error when the command cannot be started.
 */
export async function startManaged(options: {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  log: string;
}): Promise<ManagedProcess> {
  const log = openSync(options.log, 'a', 0o600);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let running = true;
  const killWithParent = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false;
      process.off('exit', killWithParent);
      resolve({ code, signal });
    });
  });
  await once(child, 'spawn');
  const pid = child.pid as number;
  return {
    pid,
    isRunning: () => running,
    signal(signal) {
      if (running) child.kill(signal);
    },
    memory: () => (running ? memoryOf(pid) : undefined),
    exited,
  };
}

function memoryOf(pid: number): Memory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (name: string): number =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024);
    const peak = megabytes('VmHWM');
    return peak === 0 ? undefined : { now: megabytes('VmRSS'), peak };
  } catch {
    return undefined;
  }
}
