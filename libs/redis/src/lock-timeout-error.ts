/** Somebody else held the lock for as long as the caller was willing to wait. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError';

  constructor(key: string, waitMs: number) {
    super(`The lock ${key} was not free within ${waitMs} ms`);
  }
}
