export type BitbucketErrorDetails = Pick<BitbucketError, 'kind' | 'call' | 'bitbucketMessage'> &
  Partial<Pick<BitbucketError, 'status' | 'retryAfterSeconds' | 'notSent' | 'untrusted'>>;

/** A message holds what others sent: never more than this of it. */
const MAX_MESSAGE = 1_500;

/** Every failure of the client. Holds no token and no request. */
export class BitbucketError extends Error {
  /**
   * `answer`: Bitbucket refused. `unreachable`: no connection, or it broke. `timeout`: no whole
   * answer in time. `invalid-answer`: an answer that makes no sense or may not be followed.
   */
  readonly kind: 'answer' | 'unreachable' | 'timeout' | 'invalid-answer';
  /** `GET /repositories/{workspace}`: what was asked, without any value. */
  readonly call: string;
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** How long Bitbucket asks to wait (429). */
  readonly retryAfterSeconds: number | undefined;
  /** Bitbucket's own words, readable, at most 1,500 characters; ours where it said nothing. */
  readonly bitbucketMessage: string;
  /** True when Bitbucket cannot have received anything (connection refused, no such host). */
  readonly notSent: boolean;
  /** True for an untrusted TLS certificate: nothing was sent, and a repeat would not help. */
  readonly untrusted: boolean;

  constructor(details: BitbucketErrorDetails) {
    const status = details.status === undefined ? '' : ` ${details.status}`;
    const message = details.bitbucketMessage.slice(0, MAX_MESSAGE);
    super(`Bitbucket: ${details.call}:${status} ${message}`);
    this.name = new.target.name;
    this.kind = details.kind;
    this.call = details.call;
    this.status = details.status;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.bitbucketMessage = message;
    this.notSent = details.notSent ?? false;
    this.untrusted = details.untrusted ?? false;
  }
}

/** For an answer that makes no sense or may not be followed. */
export function invalidAnswer(
  call: string,
  bitbucketMessage: string,
  status?: number,
): BitbucketError {
  return new BitbucketError({ kind: 'invalid-answer', call, status, bitbucketMessage });
}

/** The user must allow access again. Thrown by the OAuth client only. */
export class DeadGrantError extends BitbucketError {}

export function isBitbucketError(error: unknown): error is BitbucketError {
  return error instanceof BitbucketError;
}
