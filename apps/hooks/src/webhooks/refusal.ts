import { CdsError, type CdsErrorOptions, type KnownErrorName } from '@cds/wire';
import type { IncomingDelivery } from '../modules/incoming-delivery';

const AGAIN = { 'Retry-After': '5' };
const CLOSE = { Connection: 'close' };

/** The errors that senders get, by the reason of the refusal, as metrics name it. */
const ERRORS = {
  unknown: { kind: 'notFound', from: 'no hook has this uuid' },
  // The same for a missing and for a wrong signature, so that a stranger learns nothing.
  unauthentic: { kind: 'notAuthenticated' },
  // In place of those above. Each further delivery costs its sender a connection.
  limited: {
    kind: 'tooManyRequests',
    from: 'too many refused deliveries from this address',
    headers: CLOSE,
  },
  wrong_method: { kind: 'methodNotAllowed' },
  malformed: { kind: 'wrongRequest' },
  too_large: { kind: 'tooLarge', headers: CLOSE },
  not_served: { kind: 'notImplemented' },
  // 503, since Bitbucket sends again after that, and never after a 404.
  not_known_yet: {
    kind: 'unavailable',
    from: 'it is not known yet which hooks there are: send it again',
    headers: AGAIN,
  },
  // All bodies being read are too large together, and this one is the oldest.
  crowded_out: {
    kind: 'unavailable',
    from: 'too much is being sent at once, and this took longest: send it again',
    headers: { ...AGAIN, ...CLOSE },
  },
  // 503 and no 408: Bitbucket sends again after a 5xx, and gives up after a 4xx.
  too_slow: {
    kind: 'unavailable',
    from: 'the body took too long: send it again, faster',
    headers: { ...AGAIN, ...CLOSE },
  },
} satisfies Record<string, CdsErrorOptions & { kind: KnownErrorName }>;

export type RefusalReason = keyof typeof ERRORS;
export const REFUSAL_REASONS = Object.keys(ERRORS) as RefusalReason[];

/** A delivery that is refused, with the error that its sender gets. */
export class Refusal extends CdsError {
  /** @param more `from` in place of that of the reason, and further headers */
  constructor(
    readonly reason: RefusalReason,
    more: Pick<CdsErrorOptions, 'from' | 'headers'> = {},
  ) {
    const error: CdsErrorOptions & { kind: KnownErrorName } = ERRORS[reason];
    // A stack costs more than the answer, and says nothing that the reason does not.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(error.kind, { ...error, ...more, headers: { ...error.headers, ...more.headers } });
    Error.stackTraceLimit = stackTraceLimit;
  }

  /** Whether a sender who knows no hook, or not its secret, can cause it. */
  get isOfStranger(): boolean {
    return this.reason === 'unknown' || this.reason === 'unauthentic';
  }
}

/** What the log and the stored refusal name of a refused delivery. */
export type Sender = Pick<IncomingDelivery, 'uuid' | 'address' | 'requestId'>;

export function wrongMethod(method: string): Refusal {
  return new Refusal('wrong_method', { from: `this hook does not take ${method}` });
}
