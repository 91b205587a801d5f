import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
}

/** A real child process, with all it has printed. */
export interface RunningProcess {
  pid: number;
  stdout(): string;
  stderr(): string;
  kill(signal?: NodeJS.Signals): boolean;
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
export async function startProcess({
  command,
  args,
  env,
  cwd,
  stdin = false,
}: ProcessOptions): Promise<RunningProcess> {
  const child = spawn(command, args, {
    env,
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (!stdin) child.stdin.end();
  let stdout = '';
  let stderr = '';
  let ended = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const killWithParent = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      ended = true;
      process.off('exit', killWithParent);
      resolve({ code, signal });
    });
  });
  await once(child, 'spawn');

  const search = (pattern: RegExp): RegExpExecArray | null => {
    const found = pattern.exec(stdout) ?? pattern.exec(stderr);
    if (!found && ended) {
      throw new ProcessEndedError(`${command} ended without printing ${pattern}`);
    }
    return found;
  };

  return {
    pid: child.pid as number,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal = 'SIGTERM') => child.kill(signal),
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
