import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkCleanups, CLEANUP_WITHIN_MS } from '../checker/check-cleanups';
import { checkIntake } from '../checker/check-intake';
import { checkRecovery, RECOVERY_WITHIN_MS } from '../checker/check-recovery';
import { checkRuns } from '../checker/check-runs';
import type { Violation } from '../checker/history';
import type { Fault } from '../faults/fault';
import { createRandom } from '../seeded-random';
import { readBooks, type Books } from '../stage/books';
import { openStage, type Stage } from '../stage/stage';

/** A service with a few hooks stays far below this, whatever happens to it. */
export const PEAK_RSS_MB = 256;

const MAX_MS = 60_000;
const MAX_DURATION_MS = 1_200_000;

export interface FaultResult {
  name: string;
  what: string;
  checks: string;
  seed: number;
  accepted: number;
  runs: number;
  cleanups: number;
  doublesAllowed: number;
  doublesBecause: string;
  doubles: number;
  firstRunMs: number | undefined;
  drainedMs: number | undefined;
  peakRssMb: number | undefined;
  tookMs: number;
  violations: Violation[];
  /** Why it was not played. */
  skipped?: string | undefined;
  /** Where the logs of its processes are; only of one that failed. */
  folder: string | undefined;
}

/** Plays one fault with one seed and checks what came of it. Never throws. */
export async function runFault(
  fault: Fault,
  options: { seed: number; folder: string; long: boolean; keep: boolean },
): Promise<FaultResult> {
  const { seed, long } = options;
  const skipped = fault.skipped?.();
  if (skipped !== undefined) return resultOfSkipped(fault, seed, skipped);
  const folder = join(options.folder, `${fault.name}-${seed}`);
  const began = Date.now();
  const violations: Violation[] = [];
  let stage: Stage | undefined;
  try {
    rmSync(folder, { recursive: true, force: true });
    stage = await openStage({ random: createRandom(seed), folder, long }, fault.stage);
    await within(fault, fault.play(stage), long);
    violations.push(...(await settle(stage)));
  } catch (error) {
    violations.push({ kind: 'fault', sentence: (error as Error).message });
    stage?.note((error as Error).stack ?? '');
  }
  const result: FaultResult = {
    name: fault.name,
    what: fault.what,
    checks: fault.checks ?? '',
    seed,
    doublesAllowed: mostDoubles(fault, long),
    doublesBecause: fault.doubles?.because ?? '',
    ...judge(fault, stage, violations),
    tookMs: 0,
    violations,
    folder: undefined,
  };
  if (stage) {
    writeFileSync(join(folder, 'history.json'), JSON.stringify(stage.history, null, 1));
    await stage.close();
  }
  result.tookMs = Date.now() - began;
  if (violations.length > 0 || options.keep) result.folder = folder;
  else rmSync(folder, { recursive: true, force: true });
  return result;
}

function resultOfSkipped(fault: Fault, seed: number, skipped: string): FaultResult {
  return {
    name: fault.name,
    what: fault.what,
    checks: fault.checks ?? '',
    seed,
    ...judgedNothing,
    doublesAllowed: mostDoubles(fault, false),
    doublesBecause: fault.doubles?.because ?? '',
    tookMs: 0,
    violations: [],
    skipped,
    folder: undefined,
  };
}

/** A story that does not come to its end has found something that hangs. */
async function within(fault: Fault, playing: Promise<void>, long: boolean): Promise<void> {
  const limitMs = long ? MAX_DURATION_MS : MAX_MS + (fault.seconds ?? 0) * 2_000;
  const over = new AbortController();
  const deadline = sleep(limitMs, undefined, { signal: over.signal }).then(
    () => Promise.reject(new Error(`It was not over after ${limitMs} ms: see its story.`)),
    () => undefined,
  );
  try {
    await Promise.race([playing, deadline]);
  } finally {
    over.abort();
  }
}

function mostDoubles({ doubles }: Fault, long: boolean): number {
  return (long ? doubles?.mostWithLong : undefined) ?? doubles?.most ?? 0;
}

const judgedNothing = {
  ...{ accepted: 0, runs: 0, cleanups: 0, doubles: 0 },
  ...{ firstRunMs: undefined, drainedMs: undefined, peakRssMb: undefined },
};

function judge(fault: Fault, stage: Stage | undefined, violations: Violation[]) {
  if (!stage) return judgedNothing;
  const { history } = stage;
  history.endedAt = Date.now();
  const runs = checkRuns(history, mostDoubles(fault, stage.long));
  const cleanups = checkCleanups(history);
  const recovery = checkRecovery(history);
  violations.push(
    ...runs.violations,
    ...cleanups.violations,
    ...checkIntake(history),
    ...recovery.violations,
  );
  const peaks = stage.replicas.flatMap((replica) => replica.memory()?.peak ?? []);
  const peakRssMb = peaks.length > 0 ? Math.max(...peaks) : undefined;
  if (peakRssMb !== undefined && peakRssMb > PEAK_RSS_MB)
    violations.push({
      kind: 'memory',
      sentence: `hooks took ${peakRssMb} MB of memory; ${PEAK_RSS_MB} are allowed.`,
    });
  return {
    accepted: runs.accepted,
    runs: runs.runs,
    cleanups: cleanups.removals,
    doubles: runs.doubles,
    firstRunMs: recovery.firstRunMs,
    drainedMs: recovery.drainedMs,
    peakRssMb,
  };
}

/**
 * Waits until nothing waits any more, in Redis and by the history: what would come twice has come
 * then, too. After the time that everything has to recover in, what is missing is lost.
 */
async function settle(stage: Stage): Promise<Violation[]> {
  const { history } = stage;
  const until = Date.now() + RECOVERY_WITHIN_MS + 5_000;
  let books = await lookIntoBooks(stage);
  while (Date.now() < until) {
    history.endedAt = Date.now();
    const isOver =
      books.waiting === 0 &&
      books.violations.length === 0 &&
      !checkRuns(history, Infinity).violations.some(({ kind }) => kind === 'lost') &&
      !checkCleanups(history).violations.some(({ kind }) => kind === 'lost');
    if (isOver) return [];
    await sleep(100);
    books = await lookIntoBooks(stage);
  }
  if (books.waiting > 0)
    books.violations.push({
      kind: 'lost',
      sentence: `${books.waiting} deliveries still wait ${CLEANUP_WITHIN_MS} ms after everything was over.`,
    });
  return books.violations;
}

async function lookIntoBooks({ redis, webhooks, otherHooks }: Stage): Promise<Books> {
  try {
    return await redis.ask((connection) => readBooks(connection, [...webhooks, ...otherHooks]));
  } catch (error) {
    const sentence = `Redis cannot be asked: ${String(error)}`;
    return { waiting: 0, violations: [{ kind: 'books', sentence }] };
  }
}
