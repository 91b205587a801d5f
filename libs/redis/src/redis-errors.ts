/** The error codes of Redis that callers distinguish. */
export type RedisErrorCode =
  | 'READONLY'
  | 'NOSCRIPT'
  | 'OOM'
  | 'MISCONF'
  | 'NOREPLICAS'
  | 'MASTERDOWN'
  | 'NOPERM'
  | 'NOAUTH'
  | 'WRONGPASS'
  | 'CROSSSLOT'
  | 'MOVED'
  | 'CLUSTERDOWN';

/** An ACL up to Redis 6.2 refuses a command of a script without the code. */
const SCRIPT_NOPERM = /The user executing the script can't (run|access)/;

/**
 * Whether Redis answered with one of these errors.
 *
 * Up to Redis 6.2 the error of a script is wrapped (`ERR Error running script (call to f_…):
 * @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.`), so the
 * code may be anywhere.
 */
export function hasRedisErrorCode(error: unknown, ...codes: readonly RedisErrorCode[]): boolean {
  if (!(error instanceof Error)) return false;
  const { message } = error;
  if (codes.includes('NOPERM') && SCRIPT_NOPERM.test(message)) return true;
  return new RegExp(String.raw`(?:^|[\s:(])-?(?:${codes.join('|')})(?=\s|$)`).test(message);
}

/**
 * Whether Redis refused a command since the key holds another type. Up to 6.2 the word is within
 * the sentence for a command of a script.
 */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}
