/** An invalid cron expression or time zone. The message says where, and what to write. */
export class CronError extends Error {
  override readonly name = 'CronError';

  constructor(
    message: string,
    /** Of the mistake in the expression, from 1; undefined for one in the time zone. */
    readonly column?: number,
  ) {
    super(message);
  }
}
