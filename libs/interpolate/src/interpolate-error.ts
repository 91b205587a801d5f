/** A template that cannot be filled in. The message says why, and holds no value of a variable. */
export class InterpolateError extends Error {
  override readonly name = 'InterpolateError';
}
