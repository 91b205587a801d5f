/** What JavaScript itself throws. No outage of Redis, of the API or of a network is one of them. */
const OF_JAVASCRIPT = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'URIError',
]);

/** An error where only a bug of this service can be the cause, whatever its kind. */
export class UnexpectedError extends Error {
  override readonly name: string;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : '', { cause });
    this.name = nameOf(cause);
    const { stack } = cause instanceof Error ? cause : this;
    if (stack !== undefined) this.stack = stack;
  }
}

/** Whether an error is a bug of this service: the same execution meets it again and again. */
export function isUnexpected(error: unknown): boolean {
  return error instanceof UnexpectedError || OF_JAVASCRIPT.has(nameOf(error));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** The error of an execution that hits a bug, without the message, which may quote a payload. */
export function unexpectedSentence(error: unknown): string {
  return (
    `hooks itself failed at what it holds (${nameOf(error)}): a mistake in this service; please ` +
    'report it with the stack in its log'
  );
}

/** The frames alone: a stack begins with the message. */
export function stackOf(error: unknown): string {
  const { stack = '', message } = error instanceof Error ? error : new Error(typeof error);
  const frames = stack.indexOf('\n    at ', stack.indexOf(message) + message.length);
  return frames < 0 ? '' : stack.slice(frames + 1);
}
