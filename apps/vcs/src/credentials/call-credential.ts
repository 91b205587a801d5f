import type { AccessTokenSource, BitbucketError } from '@cds/bitbucket';

/** The credential of one request of the API: the OAuth grant or the VCS project that it is for. */
export interface CallCredential extends AccessTokenSource {
  /** Names the credential without its secrets. */
  readonly key: string;
  /** Names what the API sent, without its secrets: other callers do not share its answers. */
  readonly sender: string;
  /** The access token of the last call; undefined before the first. */
  readonly lastUsed: string | undefined;
  /** An access token that the API is to store in place of the one that it sent. */
  readonly newAccessToken: string | undefined;
  /** Takes the token that another request of this sender used, whose answer served this one. */
  noteCoalesced(token: string | undefined): void;
  /** What to do about a refusal that no other token changes; undefined where that is not known. */
  adviceOn(refusal: BitbucketError): string | undefined;
}

/**
 * The token that the credential used last, which Bitbucket accepted just now, for calls that no
 * request waits for: they renew nothing. Undefined before the first call.
 */
export function acceptedToken(credential: CallCredential): AccessTokenSource | undefined {
  const { user, lastUsed: token } = credential;
  if (token === undefined) return undefined;
  return {
    user,
    current: () => Promise.resolve(token),
    renew: () => Promise.reject(new Error('the access token is no longer valid')),
  };
}
