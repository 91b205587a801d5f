import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { atExit } from './at-exit';
import { waitFor } from './wait-for';

export interface ProcessOptions {
  command: string;
  args: string[];
  /** The whole environment of the child. */
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /**
   * Keep its standard input open, as a supervisor does, until this process ends. False when not
   * given.
   */
  stdin?: boolean;
  /** A file to which both streams are appended; `stdout()` and `stderr()` are empty then. */
  log?: string;
  /** In a process group of its own, which Ctrl-C does not reach. False when not given. */
  detached?: boolean;
  /** Who it runs as, which only root can say; the user of this process when not given. */
  user?: { uid?: number; gid?: number };
}

/** A real child process, with all it has printed. */
export interface RunningProcess {
  pid: number;
  isRunning(): boolean;
  stdout(): string;
  stderr(): string;
  /** Does nothing once it has ended. */
  kill(signal?: NodeJS.Signals): boolean;
  /**
   * SIGTERM, and SIGKILL if it is still there after `patienceMs`, a minute when not given. Resolves
   * with the exit code when it has ended.
   */
  stop(patienceMs?: number): Promise<number | null>;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /**
   * The first match in what was printed on either stream. Rejects as `waitFor` does, and when the
   * process ends without it.
   */
  waitForOutput(pattern: RegExp | string): Promise<RegExpExecArray>;
}

/**
 * Starts a child process. It is killed when this process exits, so that no test leaves one behind.
 *
 * @throws Error when the command cannot be started.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { command, args, env, cwd, stdin = false, detached = false } = options;
  const log = options.log === undefined ? undefined : openSync(options.log, 'a', 0o600);
  const output = log ?? 'pipe';
  const child = spawn(command, args, {
    ...options.user,
    env,
    cwd,
    detached,
    stdio: ['pipe', output, output],
  });
  if (log !== undefined) closeSync(log);
  if (!stdin) child.stdin?.end();
  let stdout = '';
  let stderr = '';
  let running = true;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const endsAlone = atExit(() => child.kill('SIGKILL'));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      running = false;
      endsAlone();
      resolve({ code, signal });
    });
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    endsAlone();
    throw new Error(`${command} cannot be started: ${(error as Error).message}`, { cause: error });
  }

  const search = (pattern: RegExp): RegExpExecArray | null => {
    const found = pattern.exec(stdout) ?? pattern.exec(stderr);
    if (!found && !running) {
      throw new ProcessEndedError(`${command} ended without printing ${pattern}`);
    }
    return found;
  };

  return {
    pid: child.pid as number,
    isRunning: () => running,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal = 'SIGTERM') => child.kill(signal),
    async stop(patienceMs = 60_000) {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      const { code } = await exited;
      clearTimeout(patience);
      return code;
    },
    exited,
    async waitForOutput(pattern) {
      const wanted =
        typeof pattern === 'string'
          ? new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
      try {
        const outcome = await waitFor(
          () => {
            try {
              return search(wanted);
            } catch (error) {
              return error instanceof ProcessEndedError ? error : Promise.reject(error);
            }
          },
          { what: `${command} to print ${wanted}` },
        );
        if (outcome instanceof ProcessEndedError) throw outcome;
        return outcome;
      } catch (error) {
        throw new Error(
          `${(error as Error).message}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`,
          { cause: error },
        );
      }
    },
  };
}

class ProcessEndedError extends Error {}
