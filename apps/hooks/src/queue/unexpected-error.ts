/** The error of an execution that hits a bug, without the message, which may quote a payload. */
export function unexpectedSentence(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  return `hooks itself failed at what it holds (${name}): a mistake in this service; please report it with the stack in its log`;
}

/** The frames alone: a stack begins with the message. */
export function stackOf(error: unknown): string {
  const { stack = '', message } = error instanceof Error ? error : new Error(typeof error);
  const frames = stack.indexOf('\n    at ', stack.indexOf(message) + message.length);
  return frames < 0 ? '' : stack.slice(frames + 1);
}
