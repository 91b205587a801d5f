/** Exit codes: a command failed, or was called in the wrong way. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** Ends a command with a sentence on standard error. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: number = EXIT_FAILED,
  ) {
    super(message);
  }
}

/** A {@link CommandError} for a command that was called in the wrong way. */
export function usageError(message: string): CommandError {
  return new CommandError(`${message} See --help.`, EXIT_USAGE);
}

/** The words of an error alone: errors of Redis carry the command, and with it what was stored. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
