/** Codes of system calls that fail before there is a connection, whatever the call is. */
const BEFORE_CONNECTING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** `cause` of an error and the errors of an AggregateError, looked at so deep. */
const MAX_DEPTH = 4;

/**
 * Whether `error`, of a request over a new or a kept connection, says that the other side has none
 * of it: no address answered, or every attempt to connect failed. A timed-out write does not.
 */
export function isNeverSent(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return false;
  const { code, syscall, errors, cause, neverSent } = error as Record<string, unknown>;
  if (neverSent === true) return true;
  // Node tries the addresses of a host one after the other, and gives the error of each.
  if (Array.isArray(errors) && errors.length > 0)
    return errors.every((each) => isNeverSent(each, depth + 1));
  if (typeof code === 'string' && BEFORE_CONNECTING.has(code)) return true;
  if (syscall === 'connect' || syscall === 'getaddrinfo') return true;
  return isNeverSent(cause, depth + 1);
}
