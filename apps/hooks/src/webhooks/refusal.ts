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
    super(...error);
  }

  /** Whether whoever knows of no hook, or not its secret, can cause it. */
  get isOfStranger(): boolean {
    return this.reason === 'unknown' || this.reason === 'unauthentic';
  }
}

/** There is no such hook, or its uuid is none. */
export function unknownHook(): Refusal {
  return new Refusal('unknown', 'notFound', { from: 'no hook has this uuid' });
}

/**
 * Whether there is such a hook is not known: 503, since Bitbucket sends again after that, and never
 * after a 404.
 * @param why for the sender to read
 */
export function notKnownYet(
  why = 'it is not known yet which hooks there are: send it again',
): Refusal {
  return new Refusal('not_known_yet', 'unavailable', {
    from: why,
    headers: { 'Retry-After': '5' },
  });
}

/** Unsigned where it has to be signed, or wrongly signed: the same for all, so that nothing can be learned from it. */
export function notAuthentic(): Refusal {
  return new Refusal('unauthentic', 'notAuthenticated');
}

/** In place of the two above. @param seconds until the sender may be told again */
export function limited(seconds: number): Refusal {
  return new Refusal('limited', 'tooManyRequests', {
    from: 'too many refused deliveries from this address',
    // Each further one is to cost its sender a connection.
    headers: { 'Retry-After': String(seconds), Connection: 'close' },
  });
}

export function wrongMethod(method: string): Refusal {
  return new Refusal('wrong_method', 'methodNotAllowed', {
    from: `this hook does not take ${method}`,
  });
}

/** @param reason what is wrong with it, for the sender to read */
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

/** All bodies under way together are too large, and this one was under way for longest. */
export function crowdedOut(): Refusal {
  return new Refusal('crowded_out', 'unavailable', {
    from: 'too much is being sent at once, and this took longest: send it again',
    headers: { 'Retry-After': '5', Connection: 'close' },
  });
}

/**
 * 503 and no 408: Bitbucket sends again what was answered 5xx, and gives up what was answered 4xx.
 */
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
