export const HIDDEN = '[redacted]';
const DEEPEST = 6;

/** Fields that hold secrets, as our code writes them. */
export const SECRET_FIELDS = [
  'token',
  'accessToken',
  'refreshToken',
  'password',
  'secret',
  'clientSecret',
  'webhookKey',
  'webhookKeys',
  'previousWebhookKeys',
  'authorization',
] as const;

/** The same and the headers that do, in lower case without `-` and `_`. */
const SECRET_NAMES = new Set([
  ...SECRET_FIELDS.map((name) => name.toLowerCase()),
  'proxyauthorization',
  'cookie',
  'setcookie',
  'xauthheader',
]);

/**
 * Copies the fields of a log line without secrets. An error becomes its message in the field
 * `error`, elsewhere an object with the stack and the causes.
 */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return redactFields(fields, 0);
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      isSecret(name) ? HIDDEN : redactValue(shortened(name, value), depth + 1),
    ]),
  );
}

/** A failure that is being dealt with needs no stack, and Redis has many of them at once. */
function shortened(name: string, value: unknown): unknown {
  return name === 'error' && value instanceof Error ? value.message : value;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return hideInText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) return '[deeper]';
  if (value instanceof Error) return redactFields(describeError(value), depth);
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  // Dates, URLs and the like know how to print themselves.
  if ('toJSON' in value) return value;
  return redactFields(value, depth);
}

/**
 * An error as fields of a log line: name, message, stack, simple properties and cause. Objects of
 * libraries are left out: axios's request and ioredis's command hold secrets.
 */
function describeError(error: Error): Record<string, unknown> {
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

/** Bounds the field names. A Map finds one in half the time of an LRU cache. */
const MAX_KNOWN = 500;
const known = new Map<string, boolean>();

function isSecret(name: string): boolean {
  const before = known.get(name);
  if (before !== undefined) return before;
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '');
  const is = SECRET_NAMES.has(plain) || plain.startsWith('xcdsaccesstoken');
  if (known.size < MAX_KNOWN && name.length < 100) known.set(name, is);
  return is;
}

/** What every text has of which {@link hideInText} takes something out, unless it is long. */
const TELLING = /bearer |basic |:\/\/|_token=|client_secret=/i;
const LONG = 200;

/**
 * Bearer tokens, passwords in URLs, and words too long to be any: Bitbucket's tokens have more than
 * 2,500 characters.
 */
function hideInText(text: string): string {
  if (text.length < LONG && !TELLING.test(text)) return text;
  return text
    .replaceAll(/\b(Bearer|Basic) [\w.~+/=-]+/gi, `$1 ${HIDDEN}`)
    .replaceAll(/(:\/\/[^/\s:@]*):[^/\s@]+@/g, `$1:${HIDDEN}@`)
    .replaceAll(/\b((?:access|refresh)_token|client_secret)=[^&\s"']+/gi, `$1=${HIDDEN}`)
    .replaceAll(/[\w~+=-]{200,}/g, HIDDEN);
}
