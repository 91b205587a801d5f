import { setTimeout as pause } from 'node:timers/promises';
import { askUrl } from '../ask-url';

/** For one try. */
const ANSWER_MS = 2_000;
const PAUSE_MS = 500;
const SAY_EVERY_MS = 10_000;

/**
 * Waits until the CDS API at `url` answers `/mon/version`. It migrates its database first, so only
 * the answer or `signal` ends this; `onWait` is called every ten seconds. Returns whether it
 * answered.
 */
export async function waitForApi(
  { url, insecure }: { url: string; insecure: boolean },
  o: { signal: AbortSignal; onWait: () => void },
): Promise<boolean> {
  let said = Number.NEGATIVE_INFINITY;
  while (!o.signal.aborted) {
    const signal = AbortSignal.any([o.signal, AbortSignal.timeout(ANSWER_MS)]);
    const answer = await askUrl({ url: `${url}/mon/version`, insecure, signal }).catch(() => null);
    if (answer && answer.status >= 200 && answer.status < 300) return true;
    if (performance.now() - said > SAY_EVERY_MS) {
      o.onWait();
      said = performance.now();
    }
    await pause(PAUSE_MS, undefined, { signal: o.signal }).catch(() => undefined);
  }
  return false;
}
