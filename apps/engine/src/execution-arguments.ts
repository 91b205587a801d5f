import { idOfTimestamp } from '@cds/hooks-store';
import { usageError } from './command-error';

const MAX_LISTED = 10_000;

/** @throws CommandError for what no task of hooks is called */
export function checkUuid(uuid: string): string {
  if (/^[A-Za-z0-9._=+-]{1,128}$/.test(uuid)) return uuid;
  throw usageError(`${JSON.stringify(uuid.slice(0, 128))} is no uuid of a task.`);
}

/** The id of the execution. @throws CommandError for what no execution of hooks is called */
export function checkTimestamp(timestamp: string): string {
  const id = idOfTimestamp(timestamp);
  if (id !== undefined) return id;
  throw usageError(
    `${JSON.stringify(timestamp.slice(0, 40))} is no timestamp of an execution: they are ` +
      'nanoseconds, a number that ends in 000.',
  );
}

/** @throws CommandError for what is no number of lines to print */
export function checkLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > MAX_LISTED)
    throw usageError(`--limit takes a number from 1 to ${MAX_LISTED}.`);
  return limit;
}
