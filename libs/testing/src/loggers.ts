import pino from 'pino';

export interface CapturedLog {
  logger: pino.Logger;
  /** Every line so far, parsed. */
  lines: Record<string, unknown>[];
}

/** A logger that writes nothing. */
export function silentLogger(): pino.Logger {
  return pino({ level: 'silent' });
}

/** A logger of every level whose lines a test can look at. */
export function captureLogger(): CapturedLog {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { level: 'trace', serializers: { error: messageOf } },
    { write: (line) => void lines.push(JSON.parse(line)) },
  );
  return { logger, lines };
}

/** What the log of a service says of an error in this field. */
function messageOf(error: unknown): unknown {
  return error instanceof Error ? error.message : error;
}
