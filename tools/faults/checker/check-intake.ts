import type { History, Violation } from './history';

/**
 * Intake promises its 503 within 2 s. What is measured from outside, beside two services and two
 * Redis, gets half a second more, and it is measured in the time that the sender was awake: a
 * machine that is busy holds up both.
 */
export const ANSWER_WITHIN_MS = 2_500;

/**
 * Every request has its answer in time: 2xx, or 503 with Retry-After; 401 or 404 for what was
 * forged.
 */
export function checkIntake(history: History): Violation[] {
  const violations: Violation[] = [];
  for (const sent of history.deliveries) {
    const { status, failure, retryAfter, authentic, tookMs } = sent;
    const of = `The request ${sent.requestUuid} to hook ${sent.hook} at ${sent.replica}`;
    const say = (sentence: string): number =>
      violations.push({ kind: 'intake', sentence: `${of} ${sentence}` });
    if (failure === 'timeout') say(`was not answered within ${tookMs} ms.`);
    if (status === undefined) continue;
    if (tookMs > ANSWER_WITHIN_MS) say(`was answered ${status} after ${tookMs} ms.`);
    if (!authentic && status !== 503 && (status < 400 || status >= 500))
      say(`was forged and answered ${status}.`);
    if (authentic && status !== 503 && (status < 200 || status >= 300))
      say(`was answered ${status}.`);
    if (status === 503 && !(Number(retryAfter) > 0)) say('was answered 503 without Retry-After.');
  }
  return violations;
}
