import type { Logger } from '@cds/service';
import { LRUCache } from 'lru-cache';

const ONCE_IN_MS = 60_000;
const MOST_SUBJECTS = 1_000;

export type RefusalLog = ReturnType<typeof createRefusalLog>;

/**
 * Warnings about what comes from outside, of which anybody can cause any number: of each message and subject one line
 * a minute, with the number of those left out since the last one.
 */
export function createRefusalLog(deps: { logger: Logger }) {
  const told = new LRUCache<string, { until: number; leftOut: number }>({ max: MOST_SUBJECTS });

  /**
   * @param message static
   * @param subject what the line is about, mostly a hook; nothing of which there may be any number
   * @param fields never anything of a body or a header
   */
  return function warnOnce(message: string, subject: string, fields: object): void {
    const key = `${message}/${subject}`;
    const last = told.get(key);
    const now = performance.now();
    if (last && now < last.until) {
      last.leftOut++;
      return;
    }
    told.set(key, { until: now + ONCE_IN_MS, leftOut: 0 });
    deps.logger.warn({ ...fields, leftOut: last?.leftOut ?? 0 }, message);
  };
}
