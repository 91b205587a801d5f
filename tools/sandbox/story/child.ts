import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** A child process of the sandbox whose output goes to a file. */
export interface Child {
  /** Resolves with a sentence when it ends, for whatever reason. */
  exited: Promise<string>;
  /** SIGTERM, and SIGKILL if it is still there after `patienceMs`. */
  stop(patienceMs: number): Promise<void>;
}

/**
 * Starts a child in a process group of its own: Ctrl-C then reaches the sandbox alone, which stops its children
 * in the right order.
 *
 * @throws Error when the command cannot be started.
 */
export async function startChild(
  command: string,
  args: string[],
  options: { env: NodeJS.ProcessEnv; log: string; cwd: string },
): Promise<Child> {
  const log = openSync(options.log, 'a', 0o600);
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const killWithParent = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', killWithParent);
      resolve(`${command} ended with ${signal ?? `exit code ${String(code)}`}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(new Error(`${command} cannot be started: ${error.message}`)),
    );
  });
  return {
    exited,
    async stop(patienceMs) {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await exited;
      clearTimeout(patience);
    },
  };
}
