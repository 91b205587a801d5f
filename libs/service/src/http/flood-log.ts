import type { Logger } from '../logs/create-logger';

const WARN_EVERY_MS = 60_000;

const MESSAGES = {
  connections:
    'too many connections: those that wait longest are cut; is somebody flooding this port?',
  bodies:
    'too many bodies on their way: the slowest senders are cut; is somebody flooding this port?',
  headers:
    'too many unfinished headers: the slowest senders are cut; is somebody flooding this port?',
  pipelined:
    'too many requests at once on a connection: it is cut; is somebody flooding this port?',
  waiting:
    'too many requests wait for the answers before them: those that wait longest are cut; is somebody flooding this port?',
  unread:
    'too many answers that nobody reads: those that wait longest are cut; is somebody flooding this port?',
  longHeaders:
    'too many long headers at once: requests that have them are refused with 503; is somebody flooding this port?',
  strangers:
    'too many requests of an address without authentication: each further one costs it a connection, and 429 answers all but those of monitoring; is somebody flooding this port?',
} as const;

/** Warns of what strangers can cause, once a minute for each kind, with how often it happened. */
export function createFloodLog(logger: Logger) {
  const kinds = new Map<keyof typeof MESSAGES, { cut: number; warnedAt: number }>();

  return {
    /** @param limit that was reached @param about what else an operator wants to know */
    warn(kind: keyof typeof MESSAGES, limit: number, about: object = {}): void {
      const state = kinds.get(kind) ?? { cut: 0, warnedAt: -Infinity };
      kinds.set(kind, state);
      state.cut += 1;
      if (performance.now() - state.warnedAt < WARN_EVERY_MS) return;
      logger.warn({ limit, cut: state.cut, ...about }, MESSAGES[kind]);
      state.warnedAt = performance.now();
      state.cut = 0;
    },
  };
}
