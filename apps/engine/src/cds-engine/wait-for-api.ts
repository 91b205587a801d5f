import axios from 'axios';
import { Agent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

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
  const httpsAgent = new Agent({ rejectUnauthorized: !insecure });
  let said = Number.NEGATIVE_INFINITY;
  while (!o.signal.aborted) {
    try {
      await axios.get(`${url}/mon/version`, {
        httpsAgent,
        signal: o.signal,
        timeout: 2_000,
        proxy: false,
        maxRedirects: 0,
        maxContentLength: 1024 * 1024,
      });
      return true;
    } catch {
      if (performance.now() - said > SAY_EVERY_MS) {
        o.onWait();
        said = performance.now();
      }
      await pause(PAUSE_MS, undefined, { signal: o.signal }).catch(() => undefined);
    }
  }
  return false;
}
