/** A cron expression or a time zone that cannot be used; the message says where the mistake is and what to write. */
export class CronError extends Error {
  override readonly name = 'CronError';

  constructor(
    message: string,
    /** Where the mistake begins in the expression, from 1 on; none when it is in the time zone. */
    readonly column?: number,
  ) {
    super(message);
  }
}

export function isCronError(error: unknown): error is CronError {
  return error instanceof CronError;
}
