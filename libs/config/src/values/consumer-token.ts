/** What the payload of a token of CDS says that it is for. */
export interface ConsumerTokenContent {
  /** `start-up` is for the first sign-up at a new CDS, `other` for something else. */
  kind: 'consumer' | 'start-up' | 'other';
  /** The consumer's, where it is one. */
  id?: string;
}

/**
 * Reads the payload of a token of three parts, without verifying it: only the API can. Undefined
 * where it cannot be read. CDS signs `{"type", "expire", "data"}`.
 */
export function readConsumerToken(token: string): ConsumerTokenContent | undefined {
  const [, payload = ''] = token.split('.');
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const type = valueOf(content, 'type');
  if (type === 'StartupConfig') return { kind: 'start-up' };
  if (type !== 'signinBuiltinConsumerToken') return { kind: 'other' };
  const id = valueOf(valueOf(content, 'data'), 'consumer_id');
  return { kind: 'consumer', ...(typeof id === 'string' && { id }) };
}

function valueOf(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null
    ? (object as Record<string, unknown>)[key]
    : undefined;
}
