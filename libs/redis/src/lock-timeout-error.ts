/** Another holder kept the lock longer than the caller waits. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError';

  constructor(key: string, waitMs: number) {
    super(`The lock ${key} was not free within ${waitMs} ms`);
  }
}
