import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { prefixLines } from './prefix-lines';

export interface ChildPlan {
  /** What stands before each line of its output. */
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
}

export interface Supervisor {
  /** Starts a child. Does nothing once all are being stopped. */
  start(plan: ChildPlan): void;
  /** Sends `signal` to all; those that are still there after the deadline are killed. */
  stop(signal: NodeJS.Signals): void;
  /** Aborts when all are being stopped, for whatever reason. */
  readonly stopping: AbortSignal;
  /** Exit code, once all have ended: 0 when they were asked to and did so well. */
  readonly finished: Promise<number>;
}

/** How long children may take to finish what is under way. */
const STOP_DEADLINE_MS = 30_000;

/** Tells our services to end with their input (`runUntilSignal` of @cds/service). */
const SUPERVISED = 'CDS_BITBUCKET_SUPERVISED';

/** Tells our services that what they print is read on a terminal (`createLogger` of @cds/service). */
const TERMINAL = 'CDS_BITBUCKET_TERMINAL';

/** How long the output of a process that has ended is waited for. */
const LAST_WORDS_MS = 2_000;

/** Keeps a group of processes: their output is prefixed, and the first that ends takes the others with it. */
export function createSupervisor(o: {
  say: (sentence: string) => void;
  nameWidth: number;
  stopDeadlineMs?: number;
}): Supervisor {
  const children = new Map<string, ChildProcess>();
  const stopping = new AbortController();
  let exitCode = 0;
  let finish: (exitCode: number) => void;
  const finished = new Promise<number>((resolve) => (finish = resolve));
  let deadline: NodeJS.Timeout | undefined;

  const killAll = (): void => children.forEach((child) => signalGroup(child, 'SIGKILL'));
  process.once('exit', killAll);

  function stop(signal: NodeJS.Signals): void {
    stopping.abort();
    children.forEach((child) => signalGroup(child, signal));
    deadline ??= setTimeout(() => {
      o.say(`Killing what did not end in time: ${[...children.keys()].join(', ')}.`);
      exitCode ||= 1;
      killAll();
    }, o.stopDeadlineMs ?? STOP_DEADLINE_MS);
    finishWhenAllEnded();
  }

  function finishWhenAllEnded(): void {
    if (children.size > 0) return;
    clearTimeout(deadline);
    process.off('exit', killAll);
    finish(exitCode);
  }

  function ended(name: string, how: string, code: number | null): void {
    if (!children.delete(name)) return;
    if (stopping.signal.aborted) {
      // By a signal (null) is how a process ends that does not handle it: asked for, so well.
      if (code) exitCode ||= 1;
      return finishWhenAllEnded();
    }
    exitCode = code || 1;
    const others = [...children.keys()];
    o.say(`${name} ${how}${others.length > 0 ? `: stopping ${others.join(', ')}` : ''}.`);
    stop('SIGTERM');
  }

  return {
    start({ name, command, args, env }) {
      if (stopping.signal.aborted) return;
      // In a process group of its own: Ctrl-C in a terminal reaches it once, through us.
      const child = spawn(command, args, {
        env: { ...env, [SUPERVISED]: '1', ...(process.stdout.isTTY ? { [TERMINAL]: '1' } : {}) },
        // Nothing is written to its input: its end tells a service that this process was killed.
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
      child.stdin.on('error', () => undefined);
      children.set(name, child);
      const prefix = `${name.padEnd(o.nameWidth)} | `;
      pipeLines(child.stdout, process.stdout, prefix);
      pipeLines(child.stderr, process.stderr, prefix);
      child.once('error', (error) => ended(name, `could not be started (${error.message})`, null));
      child.once('exit', (code, signal) => {
        const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
        const end = (): void => {
          clearTimeout(lastWords);
          ended(name, how, code);
        };
        // Its output may still be under way, but a process that it left behind may hold it open for ever.
        const lastWords = setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, LAST_WORDS_MS);
        child.once('close', end);
      });
    },
    stop,
    stopping: stopping.signal,
    finished,
  };
}

/** A child may be a wrapper around the real process: the signal goes to its whole group. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}

function pipeLines(from: Readable, to: NodeJS.WritableStream, prefix: string): void {
  from.setEncoding('utf8').pipe(prefixLines(prefix)).pipe(to, { end: false });
}
