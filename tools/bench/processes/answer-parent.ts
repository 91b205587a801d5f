interface Question {
  id: number;
  command: string;
  argument: never;
}

/** The other side of `startChild`: runs what the bench asks for, and sends what comes out. */
export function answerParent(commands: Record<string, (argument: never) => unknown>): void {
  process.on('message', (message) => {
    const { id, command, argument } = message as Question;
    void (async () => {
      try {
        const value = await commands[command]?.(argument);
        process.send?.({ id, value });
      } catch (error) {
        process.send?.({
          id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    })();
  });
  process.on('disconnect', () => process.exit(0));
}
