/**
 * What went wrong: `answer` Bitbucket refused; `unreachable` no connection, or it broke; `timeout` no whole answer in
 * time; `invalid-answer` an answer that makes no sense or may not be followed.
 */
export type BitbucketErrorKind = 'answer' | 'unreachable' | 'timeout' | 'invalid-answer';

export interface BitbucketErrorDetails {
  kind: BitbucketErrorKind;
  /** Bitbucket's own words, readable, at most 1,000 characters; ours where it said nothing. */
  bitbucketMessage: string;
  /** `GET /repositories/{workspace}`: what was asked, without any value. */
  call: string;
  status?: number;
  retryAfterSeconds?: number;
  /** True when Bitbucket cannot have received anything (connection refused, no such host). */
  notSent?: boolean;
}

/** Every failure of the client. Holds no token and no request. */
export class BitbucketError extends Error {
  readonly kind: BitbucketErrorKind;
  /** HTTP status; undefined when there was no answer. */
  readonly status?: number;
  /** How long Bitbucket asks to wait (429). */
  readonly retryAfterSeconds?: number;
  readonly bitbucketMessage: string;
  readonly notSent: boolean;

  constructor(details: BitbucketErrorDetails) {
    const status = details.status === undefined ? '' : ` ${details.status}`;
    super(`Bitbucket: ${details.call}:${status} ${details.bitbucketMessage}`);
    this.name = new.target.name;
    this.kind = details.kind;
    this.status = details.status;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.bitbucketMessage = details.bitbucketMessage;
    this.notSent = details.notSent ?? false;
  }
}

/** The grant is of no use any more: the user must allow access again. Thrown by the OAuth client only. */
export class DeadGrantError extends BitbucketError {}

export function isBitbucketError(error: unknown): error is BitbucketError {
  return error instanceof BitbucketError;
}
