import { countByMinute } from '../logs/count-by-minute';
import type { Logger } from '../logs/create-logger';

const MESSAGES = {
  connections: 'too many connections: those that wait longest are cut',
  bodies: 'too many bodies on their way: the slowest senders are cut',
  headers: 'too many unfinished headers: the slowest senders are cut',
  pipelined: 'too many requests at once on a connection: it is cut',
  waiting: 'too many requests wait for the answers before them: those that wait longest are cut',
  unread: 'too many answers that nobody reads: those that wait longest are cut',
  longHeaders: 'too many long headers at once: requests that have them are refused with 503',
  strangers:
    'too many requests of an address without authentication: each further one costs it a connection, and 429 answers all but those of monitoring',
} as const;

export type WarnOfFlood = ReturnType<typeof createFloodLog>;

/**
 * Warns of what strangers can cause, once a minute for each kind, with how often it happened.
 *
 * @returns takes the limit that was reached, and what else an operator wants to know
 */
export function createFloodLog(logger: Logger) {
  const count = countByMinute();
  return (kind: keyof typeof MESSAGES, limit: number, about: object = {}): void => {
    const cut = count(kind);
    if (cut === undefined) return;
    const message = `${MESSAGES[kind]}; is somebody flooding this port?`;
    logger.warn({ limit, cut, ...about }, message);
  };
}
