/**
 * What an error says, for the log. Errors of Redis carry the whole command as a property, and with it the bodies and
 * headers of deliveries: they are never logged as objects.
 */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
