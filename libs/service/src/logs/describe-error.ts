/**
 * An error as fields of a log line: name, message, stack, simple properties and cause. Objects of
 * libraries are left out: axios's request and ioredis's command hold secrets.
 */
export function describeError(error: Error): Record<string, unknown> {
  const simple = Object.entries(error).filter(
    ([, value]) => value === null || ['string', 'number', 'boolean'].includes(typeof value),
  );
  return {
    ...Object.fromEntries(simple),
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
    ...(error instanceof AggregateError ? { errors: error.errors } : {}),
  };
}
