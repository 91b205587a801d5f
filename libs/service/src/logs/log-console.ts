import { formatWithOptions } from 'node:util';
import type { Logger } from './create-logger';

/** Characters of one line of a library that are logged. */
const MAX_LINE = 2_000;

/**
 * Makes log records of what libraries print on the console, and of Node's warnings: a reader of the
 * log expects one JSON object a line. A library's error is a warning here: the part that uses it
 * says where someone must act.
 */
export function logConsole(logger: Pick<Logger, 'debug' | 'info' | 'warn'>): void {
  const record =
    (level: 'debug' | 'info' | 'warn') =>
    (...values: unknown[]): void => {
      const line = formatWithOptions({ depth: 2, colors: false }, ...values).slice(0, MAX_LINE);
      logger[level]({ line }, 'line printed by a library');
    };
  Object.assign(console, {
    debug: record('debug'),
    trace: record('debug'),
    log: record('info'),
    info: record('info'),
    warn: record('warn'),
    error: record('warn'),
  });
  // Node's own listener prints plain text.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message, code }: Error & { code?: string }) =>
    logger.warn({ name, code, line: message.slice(0, MAX_LINE) }, 'warning of Node.js'),
  );
}
