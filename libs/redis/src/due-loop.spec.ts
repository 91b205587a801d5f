import { provesNothingHappensFor, waitFor } from '@cds/testing';
import { createDueLoop, type DueLoop } from './due-loop';

/** The test ends, or fails, before such a sleep does. */
const HOUR_MS = 3_600_000;
const A_WHILE_MS = 50;

let loop: DueLoop;
let runs: number;
let atOnce: number;
let mostAtOnce: number;
let failures: unknown[];
/** What the runs answer; the next ones wait where it is a promise. */
let answer: () => number | undefined | Promise<number | undefined>;

function create(maxSleepMs: number): DueLoop {
  return createDueLoop({
    maxSleepMs,
    async runDue() {
      runs++;
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      try {
        return await answer();
      } finally {
        atOnce--;
      }
    },
    failed: (error) => void failures.push(error),
  });
}

const ran = (times: number) => waitFor(() => runs >= times, { what: `run ${times}` });

/** Runs end when it is called. */
function blocked(): () => void {
  let goOn = (): void => undefined;
  const held = new Promise<undefined>((resolve) => (goOn = () => resolve(undefined)));
  answer = () => held;
  return goOn;
}

beforeEach(() => {
  [runs, atOnce, mostAtOnce, failures] = [0, 0, 0, []];
  answer = () => undefined;
});
afterEach(async () => {
  await loop.stop();
  expect(mostAtOnce).toBeLessThanOrEqual(1);
});

describe('a due loop', () => {
  it('sleeps until the next one is due', async () => {
    loop = create(HOUR_MS);
    answer = () => (runs < 3 ? 1 : HOUR_MS / 2);
    loop.start();
    await ran(3);
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(3);
  });

  it.each([HOUR_MS, Infinity, undefined])('sleeps no longer than it may: %p', async (dueInMs) => {
    loop = create(1);
    answer = () => dueInMs;
    loop.start();
    await ran(3);
  });

  it('goes on after a failure, when the longest sleep is over', async () => {
    loop = create(1);
    answer = () => Promise.reject(new Error(`no answer ${runs}`));
    loop.start();
    await ran(2);
    await loop.stop();
    expect(failures.slice(0, 2)).toEqual([new Error('no answer 1'), new Error('no answer 2')]);

    runs = 0;
    loop = create(HOUR_MS);
    loop.start();
    await ran(1);
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(1);
  });

  it('begins later where it is told to, and at once', async () => {
    loop = create(HOUR_MS);
    loop.runNow();
    loop.start(HOUR_MS);
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(0);
    loop.runNow();
    await ran(1);
    loop.runNow();
    loop.runNow();
    await ran(2);
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(2);
  });

  it('runs once more, and not beside, when it is told to during a run', async () => {
    loop = create(HOUR_MS);
    const goOn = blocked();
    loop.start();
    await ran(1);
    loop.runNow();
    loop.runNow();
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(1);
    goOn();
    await ran(2);
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(2);
  });

  it('has nothing under way once it is stopped, and may be started again', async () => {
    loop = create(1);
    const goOn = blocked();
    loop.start();
    await ran(1);
    let isStopped = false;
    const stopped = loop.stop().then(() => (isStopped = true));
    loop.runNow();
    await provesNothingHappensFor(A_WHILE_MS);
    expect([isStopped, runs]).toEqual([false, 1]);
    goOn();
    await stopped;
    expect(atOnce).toBe(0);
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(1);
    loop.start();
    await ran(3);
  });

  it('waits for the run of before when it is started again during it', async () => {
    loop = create(1);
    const goOn = blocked();
    loop.start();
    await ran(1);
    const stopped = loop.stop();
    loop.start();
    await provesNothingHappensFor(A_WHILE_MS);
    expect(runs).toBe(1);
    goOn();
    await stopped;
    await ran(3);
  });
});
