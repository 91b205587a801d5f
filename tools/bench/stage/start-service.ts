import { join } from 'node:path';
import { startProcess, waitFor } from '@cds/testing';
import { bundleOf } from '../../faults/stage/bundles';
import { type Usage, usageOf } from '../measure/usage';

/** One process of a service, as it is deployed. */
export interface StartedService {
  url: string;
  pid: number;
  usage(): Usage;
  stop(): Promise<void>;
}

/** Starts a built service. @returns when `isUp` says so */
export async function startService(options: {
  app: 'hooks' | 'vcs';
  name: string;
  port: number;
  folder: string;
  env: NodeJS.ProcessEnv;
  isUp: (url: string) => Promise<boolean>;
}): Promise<StartedService> {
  const { app, name, port, folder, env, isUp } = options;
  const url = `http://127.0.0.1:${port}`;
  const running = await startProcess({
    command: process.execPath,
    // For a look inside: BENCH_NODE_ARGS='--cpu-prof --cpu-prof-dir=/tmp' leaves a profile of each
    // service.
    args: [...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? []), bundleOf(app)],
    env,
    cwd: folder,
    log: join(folder, `${name}.log`),
  });
  await waitFor(async () => !running.isRunning() || (await isUp(url)), {
    what: `${name} to serve`,
    timeoutMs: 30_000,
  });
  if (!running.isRunning()) throw new Error(`${name} ended by itself: see its log in ${folder}`);
  return {
    url,
    pid: running.pid,
    usage: () => usageOf(running.pid),
    stop: async () => void (await running.stop()),
  };
}
