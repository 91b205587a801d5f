/** A call without an answer. `final`: another try would fail in the same way. */
export class CallFailedError extends Error {
  override readonly name = 'CallFailedError';
  constructor(
    message: string,
    readonly final: boolean,
  ) {
    super(message);
  }
}
