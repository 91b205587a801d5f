/** The full path of a command, or undefined where PATH does not have it. */
export function findCommand(name: string, path?: string): string | undefined;
