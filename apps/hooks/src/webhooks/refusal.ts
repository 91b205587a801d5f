import { CdsError } from '@cds/wire';

/** Why a delivery is refused, as metrics name it. */
export type RefusalReason =
  | 'unknown'
  | 'unauthentic'
  | 'limited'
  | 'wrong_method'
  | 'malformed'
  | 'too_large'
  | 'crowded_out'
  | 'too_slow'
  | 'not_served'
  | 'not_known_yet';

/** A delivery that is refused, with the error that its sender gets. */
export class Refusal extends CdsError {
  constructor(
    readonly reason: RefusalReason,
    ...error: ConstructorParameters<typeof CdsError>
  ) {
    // A stack costs more than the answer, and says nothing that the reason does not.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(...error);
    Error.stackTraceLimit = stackTraceLimit;
  }

  /** Whether a sender who knows no hook, or not its secret, can cause it. */
  get isOfStranger(): boolean {
    return this.reason === 'unknown' || this.reason === 'unauthentic';
  }
}

export function unknownHook(): Refusal {
  return new Refusal('unknown', 'notFound', { from: 'no hook has this uuid' });
}

/** 503, since Bitbucket sends again after that, and never after a 404. @param why for the sender */
export function notKnownYet(
  why = 'it is not known yet which hooks there are: send it again',
): Refusal {
  return new Refusal('not_known_yet', 'unavailable', {
    from: why,
    headers: { 'Retry-After': '5' },
  });
}

/** The same for a missing and for a wrong signature, so that a stranger learns nothing. */
export function notAuthentic(): Refusal {
  return new Refusal('unauthentic', 'notAuthenticated');
}

/** In place of {@link unknownHook} and {@link notAuthentic}. @param seconds until the limit ends */
export function limited(seconds: number): Refusal {
  return new Refusal('limited', 'tooManyRequests', {
    from: 'too many refused deliveries from this address',
    // Each further delivery costs its sender a connection.
    headers: { 'Retry-After': String(seconds), Connection: 'close' },
  });
}

export function wrongMethod(method: string): Refusal {
  return new Refusal('wrong_method', 'methodNotAllowed', {
    from: `this hook does not take ${method}`,
  });
}

/** @param reason what is wrong, for the sender */
export function malformed(reason: string): Refusal {
  return new Refusal('malformed', 'wrongRequest', { from: reason });
}

export function tooLarge(limitBytes: number): Refusal {
  return new Refusal('too_large', 'tooLarge', {
    from: `the body is larger than ${limitBytes} bytes: Bitbucket Cloud sends at most 256 KB`,
    headers: { Connection: 'close' },
  });
}

export function tooManyPieces(): Refusal {
  return new Refusal('malformed', 'wrongRequest', {
    from: 'the body comes in too many small pieces: send larger ones',
    headers: { Connection: 'close' },
  });
}

/** All bodies being read are too large together, and this one is the oldest. */
export function crowdedOut(): Refusal {
  return new Refusal('crowded_out', 'unavailable', {
    from: 'too much is being sent at once, and this took longest: send it again',
    headers: { 'Retry-After': '5', Connection: 'close' },
  });
}

/** 503 and no 408: Bitbucket sends again after a 5xx, and gives up after a 4xx. */
export function tooSlow(): Refusal {
  return new Refusal('too_slow', 'unavailable', {
    from: 'the body took too long: send it again, faster',
    headers: { 'Retry-After': '5', Connection: 'close' },
  });
}

export function notServed(type: string): Refusal {
  return new Refusal('not_served', 'notImplemented', {
    from: `hooks of type ${type} take no webhooks`,
  });
}
