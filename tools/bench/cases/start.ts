import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { Bench, BenchCase, Row } from '../bench-case';
import { alternate } from '../measure/alternate';
import { summarize } from '../measure/statistics';
import { root } from '../../faults/stage/bundles';
import { startBenchApi } from '../stage/bench-api';
import { startBenchRedis } from '../stage/bench-redis';
import { makeHooks, startHooksService } from '../stage/hooks-service';
import { startEngine, type StartedEngine } from '../stage/started-engine';

const TASKS = 10_000;
const MANY_TASKS = 50_000;
const LATEST_MS = 1_000;
const MAX_MB = 90;
/** When starting and synchronizing are over. */
const STARTED_MS = 5_000;
/**
 * When V8 has given back what that took: it does so only after half a minute or so without much to
 * do.
 */
const IDLE_MS = 45_000;

/** The libraries that `hooks` cannot do without. */
const IMPORTS = [
  ...['express', 'ioredis', 'bullmq', 'axios', 'pino', 'zod', 'prom-client', 'amqplib'],
  ...['croner', 'cockatiel', 'lru-cache'],
];

/** How long a restart keeps deliveries waiting, and what a service takes that does nothing. */
export const start: BenchCase = {
  name: 'start',
  what: '`engine start hooks` to the first delivery answered, with 10,000 and 50,000 tasks in Redis',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const idle: StartedEngine[] = [];
    const few = await startsOf(TASKS, { folder, pairs, say }, async (started) => {
      idle.push(started);
    });
    // All of them at a time: none does anything, and each has waited for so long at least.
    await sleep(IDLE_MS);
    const rssIdle = idle.map((started) => started.service().memoryMb);
    await few.end(idle);
    const many = await startsOf(MANY_TASKS, { folder, pairs, say }, (started) => started.stop());
    await many.end([]);
    const memory = (
      ofService: number[],
    ): Pick<Row, 'case' | 'unit' | 'ours' | 'limit' | 'limitName' | 'ratio'> => ({
      case: 'start',
      unit: 'MB',
      ours: summarize(ofService),
      limit: summarize(few.rss.node),
      limitName: 'node after these imports',
      ratio: summarize(ofService.map((mb, at) => mb / (few.rss.node[at] ?? Number.NaN))),
    });
    return [
      few.row,
      many.row,
      {
        ...memory(few.rss.started),
        measured: `resident memory of the service ${STARTED_MS / 1000} s after a start, ${TASKS} tasks, without load`,
        goal: `≤ ${MAX_MB} MB`,
        reached: summarize(few.rss.started).median <= MAX_MB,
        memoryMb: { engine: summarize(few.engineMb).median },
      },
      {
        ...memory(rssIdle),
        measured: `the same when it was idle for ${IDLE_MS / 1000} s`,
        goal: `≤ ${MAX_MB} MB`,
        reached: summarize(rssIdle).median <= MAX_MB,
      },
    ];
  },
};

interface Starts {
  row: Row;
  /** Resident memory of the services after their start, and of the limit (MB). */
  rss: { started: number[]; node: number[] };
  engineMb: number[];
  end(running: StartedEngine[]): Promise<void>;
}

/** @param measured called with each start that counts, of which nothing else ends it */
async function startsOf(
  tasks: number,
  { folder, pairs, say }: Bench,
  measured: (started: StartedEngine) => Promise<void>,
): Promise<Starts> {
  const redis = await startBenchRedis(folder);
  const api = await startBenchApi();
  const { listed, loaded } = makeHooks(tasks);
  const [hook] = loaded;
  if (!hook) throw new Error('There is no hook');
  await api.list(listed);
  const where = { folder, redisPort: redis.port, apiUrl: api.url };
  // As after a first start: the API's tasks are in Redis.
  const first = await startHooksService(where);
  await waitFor(async () => (await redis.redis.scard(KEYS.tasks)) >= tasks, {
    what: 'the tasks to be in Redis',
    timeoutMs: 60_000,
  });
  await first.stop();
  const rss = { started: [] as number[], node: [] as number[] };
  const engineMb: number[] = [];
  let cpu = 0;
  const compared = await alternate({
    pairs,
    async ours(round) {
      const started = await startEngine({ ...where, hook, round: round + 1 });
      if (round >= 0) {
        await sleep(STARTED_MS);
        const { memoryMb, cpuSeconds } = started.service();
        rss.started.push(memoryMb);
        engineMb.push(started.engine.memoryMb);
        cpu += cpuSeconds;
        say(
          `round ${round}, ${tasks} tasks: ${Math.round(started.startMs)} ms, ${Math.round(memoryMb)} MB`,
        );
        await measured(started);
      } else await started.stop();
      return started.startMs;
    },
    async limit(round) {
      const { ms, rssMb } = await importAll();
      if (round >= 0) rss.node.push(rssMb);
      return ms;
    },
    compare: (ours, limit) => ours - limit,
  });
  return {
    rss,
    engineMb,
    row: {
      case: 'start',
      measured: `\`engine start hooks\` to the first delivery answered 200, ${tasks} tasks in Redis`,
      unit: 'ms',
      ...compared,
      limitName: `node -e with the imports that are needed (${IMPORTS.join(', ')})`,
      goal: `≤ ${LATEST_MS} ms`,
      reached: compared.ours.median <= LATEST_MS,
      cpu: { service: cpu },
    },
    async end(running) {
      await Promise.all(running.map((started) => started.stop()));
      await api.stop();
      await redis.stop();
    },
  };
}

/** Starts node, imports, ends. */
async function importAll(): Promise<{ ms: number; rssMb: number }> {
  const script = `for (const name of ${JSON.stringify(IMPORTS)}) require(name);
    process.stdout.write(String(process.memoryUsage.rss()))`;
  const began = performance.now();
  const child = spawn(process.execPath, ['-e', script], {
    cwd: root,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = await text(child.stdout);
  const ms = performance.now() - began;
  const rssMb = Number(printed) / 1024 / 1024;
  if (!(rssMb > 0)) throw new Error('The imports of the limit failed');
  return { ms, rssMb };
}
