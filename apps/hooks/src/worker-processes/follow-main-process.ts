import type { Server } from 'node:net';
import type { AskForSession, SharedSession } from '@cds/api-client';
import type { ProcessMetrics } from '@cds/service';
import { createProcessChannel } from './process-channel';

/** Set in a worker process: its number, from 2 on. */
const WORKER = 'CDS_BITBUCKET_WORKER';

export type ServerName = 'main' | 'public';

/** The process that started this worker process. */
export type MainProcess = NonNullable<ReturnType<typeof followMainProcess>>;

export function workerEnvironment(worker: number): Record<string, string> {
  return { [WORKER]: String(worker) };
}

/** The main process where this is a worker process; undefined in the main process. */
export function followMainProcess() {
  const worker = process.env[WORKER];
  if (worker === undefined || !process.send) return undefined;
  let values: () => Promise<ProcessMetrics> = () => Promise.resolve([]);
  let stop: () => void = () => undefined;
  const asksToStop = new Promise<void>((resolve) => (stop = resolve));
  const gone = new Promise<void>((resolve) => process.once('disconnect', resolve));
  const channel = createProcessChannel(process, {
    metrics: () => values(),
    stop: () => stop(),
  });
  return {
    /** The number of this worker process. */
    worker,
    session: ((held) => channel.ask<SharedSession>('session', held)) satisfies AskForSession,
    /** Where that process listens. It begins to accept here, so listen to it at once. */
    server: (name: ServerName) => channel.ask<Server>('server', name),
    /** What all processes count, as text. */
    metricsText: () => channel.ask<string>('metrics'),
    /** @param given what this process counts */
    answerMetrics: (given: typeof values) => void (values = given),
    ...{ asksToStop, gone },
  };
}
