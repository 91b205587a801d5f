/** Another holder kept the lock for as long as the caller would wait. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError';

  constructor(key: string, waitMs: number) {
    super(`The lock ${key} was not free within ${waitMs} ms`);
  }
}
