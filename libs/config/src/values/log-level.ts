import type { LogLevel } from '../config-types';

export const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const satisfies LogLevel[];

/** The level that `text` names, without regard to case. */
export function parseLogLevel(text: string): LogLevel | undefined {
  return LOG_LEVELS.find((level) => level === text.trim().toLowerCase());
}
