/** A template is invalid. The message says why, without the value of a variable. */
export class InterpolateError extends Error {
  override readonly name = 'InterpolateError';
}
