import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchCase, Row } from '../bench-case';
import { type Compared, alternate } from '../measure/alternate';
import { summarize } from '../measure/statistics';
import { makeHooks } from '../stage/hooks-service';
import { type HooksStage, openHooksStage } from '../stage/hooks-stage';
import { startChild } from '../stage/child';
import {
  growTo,
  heartbeat,
  listTasks,
  meanwhile,
  requireAll,
  statusTime,
  taskList,
} from '../stage/many-tasks';

const FEW = 10;
const MANY = [1_000, 50_000];
/** Each sends to a hook of its own, so that the order is known. */
const CONNECTIONS = FEW;
const PER_ROUND = 2_000;
const STATUSES = 30;
const HEARTBEATS = 5;
/** What intake goes on for without a listing beside it. */
const QUIET_MS = 2_000;
const LEAST_INTAKE = 0.9;
/**
 * What is said to be constant may take so much longer: a microsecond for each task would make it 50
 * ms.
 */
const CONSTANT = 1.25;
const CONSTANT_MS = 1;
const MAX_HALT_MS = 20;
const MAX_TAKE_OVER_SECONDS = 5;
/** `GET /task` beside a process that does nothing but write the same JSON. */
const MOST_LISTING = 2;
const LEAST_SPREAD = 0.9;

const count = (value: number): string => value.toLocaleString('en-US');
const limitName = `itself with ${FEW} tasks`;

/**
 * What depends on the number of tasks, and what must not. A service with a Redis of its own for
 * each number.
 */
export const manyHooks: BenchCase = {
  name: 'many-hooks',
  what: 'intake, status, heartbeat and GET /task with 10, 1,000 and 50,000 tasks',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stages: HooksStage[] = [];
    const open = async (name: string): Promise<HooksStage> => {
      const own = join(folder, name);
      mkdirSync(own);
      const stage = await openHooksStage({ folder: own, hooks: FEW });
      stages.push(stage);
      return stage;
    };
    try {
      const few = await open('few');
      const rows: Row[] = [];
      for (const tasks of MANY) {
        const many = await open(`with-${tasks}`);
        const grown = await growTo(many, tasks, 1);
        say(`${count(tasks)} hooks listed, and kept after ${grown.seconds.toFixed(1)} s`);
        const isMost = tasks === Math.max(...MANY);
        if (isMost) rows.push(...synchronizationRows(tasks, grown));
        rows.push(...(await compare({ few, many, tasks, pairs, say, isMost })));
      }
      return rows;
    } finally {
      await Promise.all(stages.map((stage) => stage.close()));
    }
  },
};

interface Sides {
  few: HooksStage;
  many: HooksStage;
  tasks: number;
  pairs: number;
  say: Bench['say'];
  isMost: boolean;
}

async function compare({ few, many, tasks, pairs, say, isMost }: Sides): Promise<Row[]> {
  const inTurn = async (
    what: string,
    measure: (stage: HooksStage, round: number) => Promise<number>,
  ): Promise<Compared> => {
    const compared = await alternate({
      pairs,
      ours: (round) => measure(many, round + 1),
      limit: (round) => measure(few, round + 1),
    });
    const { ours, limit } = compared;
    say(`${what}: ${ours.median.toFixed(1)} with ${count(tasks)}, ${limit.median.toFixed(1)}`);
    return compared;
  };
  const row = (measured: string, unit: string, compared: Compared, goal: Partial<Row>): Row => ({
    case: 'many-hooks',
    ...{ measured: `${measured}, ${count(tasks)} tasks`, unit, limitName, goal: '' },
    ...compared,
    ...goal,
  });
  const constant = (compared: Compared): Partial<Row> => ({
    goal: `constant (≤ ${CONSTANT}, or ${CONSTANT_MS} ms more)`,
    reached:
      compared.ratio.median <= CONSTANT ||
      compared.ours.median - compared.limit.median <= CONSTANT_MS,
  });

  const intake = await inTurn('intake', intakeOf);
  const rows = [
    row('signed pushes/s', '/s', intake, {
      goal: `≥ ${LEAST_INTAKE}`,
      reached: intake.ratio.median >= LEAST_INTAKE,
      notes: [`to the same ${FEW} hooks`],
    }),
  ];
  if (isMost) {
    const { loaded } = makeHooks(tasks);
    const spread = await inTurn('intake, each to another hook', (stage, round) =>
      intakeOf(stage, round, stage === many ? loaded : few.hooks),
    );
    rows.push(
      row('signed pushes/s, each to another hook', '/s', spread, {
        goal: `≥ ${LEAST_SPREAD}`,
        reached: spread.ratio.median >= LEAST_SPREAD,
        notes: ['each brings a job of its own to the queue, whatever the number of tasks'],
      }),
    );
  }
  const status = await inTurn('status', (stage) => statusTime(stage, STATUSES));
  rows.push(row('`GET /mon/status`', 'ms', status, constant(status)));

  const bytes = new Map<HooksStage, number>();
  const beat = await inTurn('heartbeat', async (stage, round) => {
    const seen = await heartbeat(stage, round, HEARTBEATS);
    bytes.set(stage, seen.bytes);
    return seen.ms;
  });
  const notes = [
    `from the API's 401 until the heartbeat is there; ${bytes.get(many)} bytes, with ${FEW} tasks ${bytes.get(few)}`,
  ];
  rows.push(row('heartbeat', 'ms', beat, { ...constant(beat), notes }));
  if (isMost) {
    rows.push(await listingRow({ many, tasks, pairs, say }));
    rows.push(await writingRow({ many, tasks, pairs, say }));
  }
  return rows;
}

async function listingRow({
  many,
  tasks,
  pairs,
  say,
}: Pick<Sides, 'many' | 'tasks' | 'pairs' | 'say'>): Promise<Row> {
  const seconds: number[] = [];
  let bytes = 0;
  const before = many.service.usage();
  const compared = await alternate({
    pairs,
    async ours(round) {
      const listed = await meanwhile(many, round + 1, () => listTasks(many, tasks));
      bytes = listed.value;
      if (round >= 0) seconds.push(listed.seconds);
      say(`GET /task: ${listed.seconds.toFixed(1)} s, longest wait ${listed.worst.toFixed(1)} ms`);
      return listed.worst;
    },
    async limit(round) {
      const rest = new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      return (await meanwhile(many, round + 1, () => rest)).worst;
    },
    compare: (ours, limit) => ours - limit,
  });
  const sorted = await meanwhile(many, pairs + 1, () =>
    listTasks(many, tasks, 'nb_executions_todo:desc'),
  );
  const after = many.service.usage();
  const { median } = summarize(seconds);
  return {
    case: 'many-hooks',
    measured: `longest wait of a push, 200/s, while \`GET /task\` lists ${count(tasks)} tasks`,
    unit: 'ms',
    ...compared,
    limitName: 'the same without a listing',
    goal: `longer by ≤ ${MAX_HALT_MS} ms`,
    reached: compared.ratio.median <= MAX_HALT_MS,
    memoryMb: { 'service before': before.memoryMb, 'service at most': after.peakMemoryMb },
    notes: [
      `${(bytes / 2 ** 20).toFixed(1)} MB in ${median.toFixed(1)} s; sorted in ${sorted.seconds.toFixed(1)} s, longest wait ${sorted.worst.toFixed(1)} ms`,
    ],
  };
}

/** The listing alone, beside a process that has the same at hand. */
async function writingRow({
  many,
  tasks,
  pairs,
  say,
}: Pick<Sides, 'many' | 'tasks' | 'pairs' | 'say'>): Promise<Row> {
  const writer = await startChild('write-json');
  try {
    const plainUrl = await writer.ask<string>('listen', await taskList(many));
    const timed = async (url: string): Promise<number> => {
      const began = performance.now();
      const text = await taskList({ service: { url } });
      const ms = performance.now() - began;
      requireAll(text, tasks);
      return ms;
    };
    const compared = await alternate({
      pairs,
      ours: () => timed(many.service.url),
      limit: () => timed(plainUrl),
    });
    say(`GET /task: ${compared.ratio.median.toFixed(2)} of writing the same`);
    return {
      case: 'many-hooks',
      measured: `\`GET /task\` of ${count(tasks)} tasks`,
      unit: 'ms',
      ...compared,
      limitName: 'Node that has the list at hand, and writes it as JSON',
      goal: `≤ ${MOST_LISTING} ×`,
      reached: compared.ratio.median <= MOST_LISTING,
    };
  } finally {
    await writer.stop();
  }
}

function synchronizationRows(tasks: number, grown: { worst: number; seconds: number }): Row[] {
  return [
    {
      case: 'many-hooks',
      measured: `longest wait of a push, 200/s, while the service takes over ${count(tasks)} new hooks`,
      unit: 'ms',
      ours: summarize([grown.worst]),
      goal: '',
    },
    {
      case: 'many-hooks',
      measured: `until the service has taken over ${count(tasks)} new hooks, 200 pushes/s beside it`,
      unit: 's',
      ours: summarize([grown.seconds]),
      goal: `≤ ${MAX_TAKE_OVER_SECONDS} s`,
      reached: grown.seconds <= MAX_TAKE_OVER_SECONDS,
    },
  ];
}

/** As fast as it goes; runs are held meanwhile, and then asked for and counted. */
async function intakeOf(stage: HooksStage, round: number, hooks = stage.hooks): Promise<number> {
  await stage.api.reset();
  await stage.api.hold();
  const order = { hooks, round, amount: PER_ROUND, connections: CONNECTIONS };
  const { perSecond } = await stage.send(order);
  await stage.api.go();
  await stage.verify(PER_ROUND);
  return perSecond;
}
