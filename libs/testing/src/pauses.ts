import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits where no later event tells that nothing came: a short look at a quiet system. A slow
 * machine never fails it. Where something that comes later can be waited for, `waitFor` that
 * instead.
 *
 * @param ms of which nobody may count on being less than the code under test takes
 */
export async function provesNothingHappensFor(ms: number): Promise<void> {
  await sleep(ms);
}

/**
 * What takes time in the world around the code: an outage, a slow answer or a slow sender. The test
 * holds however much longer it takes.
 *
 * @param ms at least
 */
export async function takesTime(ms: number): Promise<void> {
  await sleep(ms);
}
