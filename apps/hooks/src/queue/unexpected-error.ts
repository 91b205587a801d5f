/**
 * The error of an execution that met a mistake of this service: another try most likely ends in the
 * same way. Without the error's own message, which may quote what the execution holds.
 */
export function unexpectedSentence(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  return `hooks itself failed at what it holds (${name}): a mistake in this service; please report it with the stack in its log`;
}

/** For the log. The first line of a stack is the message. */
export function stackOf(error: unknown): string {
  const { stack = '', message } = error instanceof Error ? error : new Error(typeof error);
  const frames = stack.indexOf('\n    at ', stack.indexOf(message) + message.length);
  return frames < 0 ? '' : stack.slice(frames + 1);
}
