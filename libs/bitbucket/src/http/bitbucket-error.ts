/**
 * `answer`: Bitbucket refused. `unreachable`: no connection, or it broke. `timeout`: no whole
 * answer in time. `invalid-answer`: an answer that makes no sense or may not be followed.
 */
export type BitbucketErrorKind = 'answer' | 'unreachable' | 'timeout' | 'invalid-answer';

export interface BitbucketErrorDetails {
  kind: BitbucketErrorKind;
  /** Bitbucket's own words, readable, at most 1,000 characters; ours where it said nothing. */
  bitbucketMessage: string;
  /** `GET /repositories/{workspace}`: what was asked, without any value. */
  call: string;
  status?: number | undefined;
  retryAfterSeconds?: number | undefined;
  /** True when Bitbucket cannot have received anything (connection refused, no such host). */
  notSent?: boolean;
  /** True for an untrusted TLS certificate: nothing was sent, and a repeat would not help. */
  untrusted?: boolean;
}

/** A message holds what others sent: never more than this of it. */
const MAX_MESSAGE = 1_500;

/** Every failure of the client. Holds no token and no request. */
export class BitbucketError extends Error {
  readonly kind: BitbucketErrorKind;
  /** `GET /repositories/{workspace}`: what was asked, without any value. */
  readonly call: string;
  /** HTTP status; undefined when there was no answer. */
  readonly status?: number | undefined;
  /** How long Bitbucket asks to wait (429). */
  readonly retryAfterSeconds?: number | undefined;
  readonly bitbucketMessage: string;
  readonly notSent: boolean;
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

/** The user must allow access again. Thrown by the OAuth client only. */
export class DeadGrantError extends BitbucketError {}

export function isBitbucketError(error: unknown): error is BitbucketError {
  return error instanceof BitbucketError;
}
