import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import { percentile } from '../measure/statistics';
import { HASH } from '../processes/service-hash';
import type { SteadyReport } from '../processes/steady-load';
import { makeHooks } from './hooks-service';
import type { HooksStage } from './hooks-stage';

/** Deliveries a second that come meanwhile. */
const LIGHT_RATE = 200;
/** For the load to be under way, and to tell what came afterwards. */
const AROUND_MS = 300;
/** The service registers again after a 401 once in a second at most. */
const REGISTERS_AGAIN_MS = 1_100;
const AUTH = { X_AUTH_HEADER: Buffer.from(HASH).toString('base64') };

/** What happened, and how intake went meanwhile. */
export interface Meanwhile<T> {
  value: T;
  /** The longest that a delivery waited for its answer (ms). */
  worst: number;
  /** Deliveries that came; their runs are asked for. */
  deliveries: number;
  seconds: number;
}

/** Does something while deliveries come in steadily, each of which must be answered 200. */
export async function meanwhile<T>(
  stage: HooksStage,
  round: number,
  work: () => Promise<T>,
): Promise<Meanwhile<T>> {
  await stage.api.reset();
  const sending = stage.sendSteadily({ round, rate: LIGHT_RATE, seconds: 120, connections: 10 });
  await pause(AROUND_MS);
  const began = performance.now();
  const value = await work();
  const seconds = (performance.now() - began) / 1000;
  await pause(AROUND_MS);
  await stage.load.ask('endSteady');
  const report: SteadyReport = await sending;
  await stage.verify(report.answered);
  return { value, worst: report.worst, deliveries: report.answered, seconds };
}

/** Lists further hooks, as after a synchronization, of which intake goes on meanwhile. */
export async function growTo(
  stage: HooksStage,
  tasks: number,
  round: number,
): Promise<Meanwhile<void>> {
  const { redis, api } = stage;
  await api.reset();
  await api.list(makeHooks(tasks).listed);
  await api.holdList();
  // A Redis that comes back may have lost its tasks: the service asks for them again.
  await redis.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await waitFor(async () => (await api.counts()).lists > 0, {
    what: 'the service to ask for all hooks',
    timeoutMs: 30_000,
  });
  return meanwhile(stage, round, async () => {
    await api.goList();
    await waitFor(async () => (await redis.redis.scard(KEYS.tasks)) === tasks, {
      what: `${tasks} tasks to be in Redis`,
      timeoutMs: 100_000,
    });
  });
}

/** The text of `GET /task`. @param stage the service, or another that answers as it does */
export async function taskList(stage: { service: { url: string } }, sort = ''): Promise<string> {
  const response = await fetch(`${stage.service.url}/task${sort && `?sort=${sort}`}`, {
    headers: AUTH,
  });
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`The tasks were to be listed: ${response.status} ${text.slice(0, 200)}`);
  return text;
}

/** @throws Error when the text is not one array of all tasks */
export function requireAll(text: string, tasks: number): void {
  if ((JSON.parse(text) as unknown[]).length !== tasks)
    throw new Error(`${tasks} tasks were to be listed: ${text.slice(0, 200)}`);
}

/** `GET /task`. @returns bytes of the answer. @throws Error when it does not list all tasks */
export async function listTasks(stage: HooksStage, tasks: number, sort = ''): Promise<number> {
  const text = await taskList(stage, sort);
  requireAll(text, tasks);
  return Buffer.byteLength(text);
}

/** Median of the time that `GET /mon/status` takes (ms). */
export async function statusTime(stage: HooksStage, times: number): Promise<number> {
  const taken: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const began = performance.now();
    const response = await fetch(`${stage.service.url}/mon/status`);
    const { lines } = (await response.json()) as { lines: { component: string; status: string }[] };
    taken.push(performance.now() - began);
    if (!lines.some(({ component, status }) => component === 'Redis' && status === 'OK'))
      throw new Error(`A status without Redis is not what is measured: ${JSON.stringify(lines)}`);
  }
  return percentile(taken, 50);
}

/**
 * A heartbeat as the API sees it: the median time (ms) from its 401, which has the service register
 * at once, until the heartbeat is there, and its length.
 */
export async function heartbeat(
  stage: HooksStage,
  round: number,
  times: number,
): Promise<{ ms: number; bytes: number }> {
  await stage.api.reset();
  for (let n = 0; n < times; n += 1) {
    await stage.api.forget();
    const one = { rate: 1_000, seconds: 0.001, connections: 1 };
    await stage.sendSteadily({ ...one, round: round * times + n });
    await stage.verify(n + 1);
    await pause(REGISTERS_AGAIN_MS);
  }
  const seen = await stage.api.heartbeats();
  if (seen.length !== times) throw new Error(`${times} heartbeats were to come: ${seen.length}`);
  return {
    ms: percentile(
      seen.map(({ afterMs }) => afterMs),
      50,
    ),
    bytes: percentile(
      seen.map(({ bytes }) => bytes),
      50,
    ),
  };
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
