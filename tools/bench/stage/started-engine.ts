import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startProcess } from '@cds/testing';
import { root } from '../../faults/stage/bundles';
import { type Usage, usageOf } from '../measure/usage';
import { commitOf, type LoadedHook, signedPush } from '../processes/deliveries';
import { hooksEnvironment } from './hooks-service';

const LOOK_MS = 5;
const MAX_DURATION_MS = 30_000;

/** `hooks` below `engine start`. */
export interface StartedEngine {
  /** From the start of the command to the first delivery that was answered 200. */
  startMs: number;
  engine: Usage;
  /** Of the service itself. */
  service(): Usage;
  stop(): Promise<void>;
}

/**
 * Runs `engine start hooks` and sends it a delivery again and again until it is answered.
 *
 * @throws Error when it is refused, or not answered in half a minute
 */
export async function startEngine(options: {
  folder: string;
  redisPort: number;
  apiUrl: string;
  hook: LoadedHook;
  round: number;
}): Promise<StartedEngine> {
  const file = join(root, 'dist', 'apps', 'engine', 'main.js');
  if (!existsSync(file))
    throw new Error(`${file} is missing: build it with \`npx nx run-many -t build -p engine\``);
  const port = await freePort();
  const push = signedPush(options.hook, commitOf(options.round, 0, 0));
  const began = performance.now();
  const child = await startProcess({
    command: process.execPath,
    args: [file, 'start', 'hooks'],
    cwd: options.folder,
    env: hooksEnvironment(options, port),
    log: join(options.folder, 'engine.log'),
  });
  const url = `http://127.0.0.1:${port}/webhook/${options.hook.uuid}`;
  for (;;) {
    const status = await statusOf(url, push);
    if (status === 200) break;
    // 503: Redis is not reached yet.
    if (status !== undefined && status !== 503)
      throw new Error(`The first delivery was answered ${status}`);
    if (!child.isRunning() || performance.now() - began > MAX_DURATION_MS)
      throw new Error(`The engine did not start: see engine.log in ${options.folder}`);
    await sleep(LOOK_MS);
  }
  const startMs = performance.now() - began;
  const [service = 0] = childrenOf(child.pid);
  return {
    startMs,
    engine: usageOf(child.pid),
    service: () => usageOf(service),
    stop: async () => void (await child.stop()),
  };
}

/** Undefined while nobody listens. */
async function statusOf(
  url: string,
  { headers, body }: ReturnType<typeof signedPush>,
): Promise<number | undefined> {
  try {
    const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
