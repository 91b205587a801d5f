/**
 * Ends connections to Redis for good. One that has ended already is left alone: ioredis would keep
 * a timer of two seconds for it, and jest would wait for that.
 */
export function disconnect(
  ...connections: readonly { status: string; disconnect(): void }[]
): void {
  for (const connection of connections) {
    if (connection.status !== 'end') connection.disconnect();
  }
}
