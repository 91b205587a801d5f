import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { SUPERVISED } from '@cds/config';
import {
  createPauses,
  prefixLines,
  RESTART_PAUSES,
  type RestartPauses,
  TERMINAL,
} from '@cds/service/child-processes';
import type { Output } from './open-output';
import type { ChildEnd, SupervisionEvent } from './supervision-event';

export interface ChildPlan {
  /** What stands before each line of its output on a terminal. */
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Its input is at its end: what it asks there fails, instead of waiting for ever. */
  hasNoInput?: boolean;
  /** Whether its end, which nobody asked for, ends all others, too. Else it is started again. */
  endsGroup: (code: number | null) => boolean;
}

/** Where the children's lines go. */
export interface Outputs {
  stdout: Output;
  stderr: Output;
}

export type Supervisor = ReturnType<typeof createSupervisor>;

/** How long children may take to finish what is under way. */
export const STOP_DEADLINE_MS = 30_000;

/** How long the output of a process that has ended is waited for. */
const LATE_OUTPUT_MS = 2_000;

/**
 * Starts a process that ends again, with growing pauses; one whose plan says so takes the others
 * with it. On a terminal lines are prefixed.
 */
export function createSupervisor(o: {
  report: (event: SupervisionEvent) => void;
  outputs: Outputs;
  nameWidth: number;
  stopDeadlineMs?: number;
  pauses?: RestartPauses;
}) {
  const children = new Map<string, ChildProcess>();
  const restarts = new Set<NodeJS.Timeout>();
  const stopping = new AbortController();
  let exitCode = 0;
  let finish: (exitCode: number) => void;
  const finished = new Promise<number>((resolve) => (finish = resolve));
  let deadline: NodeJS.Timeout | undefined;

  const killAll = (): void => children.forEach((child) => signalGroup(child, 'SIGKILL'));
  process.once('exit', killAll);

  function stop(signal: NodeJS.Signals): void {
    stopping.abort();
    restarts.forEach((restart) => clearTimeout(restart));
    restarts.clear();
    children.forEach((child) => signalGroup(child, signal));
    deadline ??= setTimeout(() => {
      o.report({ kind: 'killing', children: [...children.keys()] });
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

  function start(plan: ChildPlan, nextPause: ReturnType<typeof createPauses>): void {
    const startedAt = performance.now();
    const child = spawnChild(plan, o.nameWidth, o.outputs);
    children.set(plan.name, child);
    whenEnded(child, (end) => {
      if (!children.delete(plan.name)) return;
      if (stopping.signal.aborted) {
        // By a signal (null) is how a process ends that does not handle it: asked for, so well.
        if (end.code) exitCode ||= 1;
        return finishWhenAllEnded();
      }
      // What it left behind may hold its port.
      signalGroup(child, 'SIGKILL');
      if (end.isMissing || plan.endsGroup(end.code)) return endGroup(plan.name, end);
      const pauseMs = nextPause(performance.now() - startedAt);
      o.report({ kind: 'restarting', child: plan.name, end, pauseMs });
      const restart = setTimeout(() => {
        restarts.delete(restart);
        start(plan, nextPause);
      }, pauseMs);
      restarts.add(restart);
    });
  }

  function endGroup(name: string, end: ChildEnd): void {
    exitCode = end.code || 1;
    o.report({ kind: 'ending', child: name, end, others: [...children.keys()] });
    stop('SIGTERM');
  }

  return {
    /** Starts a child. Does nothing once all are being stopped. */
    start(plan: ChildPlan): void {
      if (!stopping.signal.aborted) start(plan, createPauses(o.pauses ?? RESTART_PAUSES));
    },
    /** Sends `signal` to all; those that are still there after the deadline are killed. */
    stop,
    /** Aborts when all are being stopped, for whatever reason. */
    stopping: stopping.signal,
    /** Exit code, once all have ended: 0 when they were asked to and did so well. */
    finished,
  };
}

/** In a process group of its own: Ctrl-C in a terminal reaches it once, through us. */
function spawnChild(plan: ChildPlan, nameWidth: number, outputs: Outputs): ChildProcess {
  const { name, command, args, env, hasNoInput = false } = plan;
  const onTerminal = outputs.stdout.isTerminal ? { [TERMINAL]: '1' } : {};
  const child = spawn(command, args, {
    env: { ...env, [SUPERVISED]: '1', ...onTerminal },
    // Nothing is written to its input: its end tells a service that this process was killed.
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  if (hasNoInput) child.stdin.end();
  const prefix = `${name.padEnd(nameWidth)} | `;
  pipeLines(child.stdout, outputs.stdout, prefix);
  pipeLines(child.stderr, outputs.stderr, prefix);
  return child;
}

/** Calls `notify` when the child ended and its output was read, or when it could not start. */
function whenEnded(child: ChildProcess, notify: (end: ChildEnd) => void): void {
  child.once('error', ({ message, code = '' }: NodeJS.ErrnoException) =>
    notify({
      code: null,
      signal: null,
      error: message,
      // Others pass: EAGAIN, EMFILE, ENOMEM.
      isMissing: ['ENOENT', 'EACCES', 'ENOEXEC'].includes(code),
    }),
  );
  child.once('exit', (code, signal) => {
    // Its output may still come, but a process that it left behind may hold it open for ever.
    const lateOutput = setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, LATE_OUTPUT_MS);
    child.once('close', () => {
      clearTimeout(lateOutput);
      notify({ code, signal });
    });
  });
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

/** A collector of logs needs the plain lines; on a terminal a prefix names their service. */
function pipeLines(from: Readable, { stream, isTerminal }: Output, prefix: string): void {
  from
    .setEncoding('utf8')
    .pipe(prefixLines(isTerminal ? prefix : ''))
    .pipe(stream, { end: false });
}
