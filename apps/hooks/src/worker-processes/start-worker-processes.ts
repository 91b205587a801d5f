import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from 'node:net';
import { type CdsApiClient, type HeldSession, secretOf, type SharedSession } from '@cds/api-client';
import { SUPERVISED } from '@cds/config';
import { forwardLines, type Logger, type ProcessMetrics, type Registration } from '@cds/service';
import { createPauses, RESTART_PAUSES, TERMINAL } from '@cds/service/child-processes';
import { type ServerName, workerEnvironment } from './follow-main-process';
import { createProcessChannel, type ProcessChannel, SharedServer } from './process-channel';

const PAUSES = { ...RESTART_PAUSES, longest: 30_000 };
/** After it the last known values of a worker process count. */
const METRICS_MS = 1_000;

/** What worker processes ask of this process. */
interface AnswersForWorkers {
  session(held: HeldSession): Promise<SharedSession>;
  server(name: ServerName): Server | undefined;
  metricsText(): Promise<string>;
}

interface WorkerProcess {
  child: ChildProcess;
  channel: ProcessChannel;
  /** What it counted when it was asked last. */
  counted: ProcessMetrics;
}

/**
 * Further processes of this service on this machine. One that ends is started again, with growing
 * pauses.
 * @param count of further ones; 0 starts none
 */
export function createWorkerProcesses(count: number, logger: Logger) {
  const running = new Set<WorkerProcess>();
  const ending = new AbortController();
  let all: Promise<unknown> = Promise.resolve();
  const isEnding = (): boolean => ending.signal.aborted;

  function askToStop(): void {
    if (isEnding()) return;
    ending.abort();
    for (const { channel, child } of running)
      channel.ask('stop').catch(() => child.kill('SIGTERM'));
  }

  async function keepRunning(worker: number, answers: AnswersForWorkers): Promise<void> {
    const nextPause = createPauses(PAUSES);
    while (!isEnding()) {
      const startedAt = performance.now();
      const ended = await run(worker, answers);
      if (isEnding()) return;
      const pauseMs = nextPause(performance.now() - startedAt);
      logger.warn({ worker, ...ended, pauseMs }, 'worker process ended: starting it again');
      await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }

  function run(
    worker: number,
    answers: AnswersForWorkers,
  ): Promise<{ code?: number | null; signal?: string | null }> {
    const [, program = '', ...args] = process.argv;
    const child = fork(program, args, {
      env: environmentOf(worker),
      // Lines of the worker process go between those of this one.
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    if (child.stdout) forwardLines(child.stdout);
    const channel = createProcessChannel(child, {
      session: answers.session,
      metrics: answers.metricsText,
      server(name: ServerName) {
        const server = answers.server(name);
        if (!server) throw new Error(`there is no server ${name}`);
        return new SharedServer(server);
      },
    });
    const own: WorkerProcess = { child, channel, counted: [] };
    running.add(own);
    return new Promise((resolve) => {
      child.on('error', (error) => {
        logger.error({ err: error, worker }, 'worker process cannot be started, or not be stopped');
        if (child.pid !== undefined) return;
        running.delete(own);
        resolve({});
      });
      child.once('exit', (code, signal) => {
        running.delete(own);
        resolve({ code, signal });
      });
    });
  }

  const metrics = (): Promise<ProcessMetrics[]> =>
    Promise.all(
      [...running].map(async (one) => {
        const asked = one.channel.ask<ProcessMetrics>('metrics').then(
          (values) => (one.counted = values),
          () => undefined,
        );
        await Promise.race([asked, sleep(METRICS_MS, undefined, { ref: false })]);
        return one.counted;
      }),
    );

  return {
    start(answers: AnswersForWorkers): void {
      const numbers = Array.from({ length: count }, (_, index) => index + 2);
      all = Promise.all(numbers.map((worker) => keepRunning(worker, answers)));
    },

    /** What each counts; undefined where there are none. */
    metrics: count > 0 ? metrics : undefined,

    /** Asks all to stop, and starts none again. */
    askToStop,

    /** The same. Kills those that are left after the deadline. Resolves when all have ended. */
    async stop(deadlineMs: number): Promise<void> {
      askToStop();
      const deadline = setTimeout(() => {
        for (const { child } of running) child.kill('SIGKILL');
      }, deadlineMs);
      await all;
      clearTimeout(deadline);
    },
  };
}

function environmentOf(worker: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...workerEnvironment(worker),
    ...(process.stdout.isTTY ? { [TERMINAL]: '1' } : {}),
    // The worker process has no input, and the main process writes down where both listen.
    ...{ [SUPERVISED]: '', HEALTH_FOLDER: '' },
  };
}

/**
 * Answers worker processes that ask for the session of this service. One that has the same already
 * asks since the API refuses it, its end is near, or the API signs with another key: this process
 * gets another one first.
 */
export function createSessionForWorkers(deps: {
  api: Pick<CdsApiClient, 'session'>;
  registration: Pick<Registration, 'firstRegistration' | 'registerNow'>;
}): (held: HeldSession) => Promise<SharedSession> {
  const { api, registration } = deps;
  return async ({ secret, isRefused }) => {
    await registration.firstRegistration();
    const before = api.session();
    const isSame = before !== undefined && secretOf(before) === secret;
    // A hash has no end: a worker process asks for it with each of its heartbeats.
    if (isSame && (isRefused || before.kind === 'jwt')) await registration.registerNow();
    const session = api.session();
    if (!session) throw new Error('this service is not registered with the CDS API yet');
    return session;
  };
}
