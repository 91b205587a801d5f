/** The content of an execution is at fault, so another try is useless. The message says why. */
export class MalformedExecutionError extends Error {
  override readonly name = 'MalformedExecutionError';
}
