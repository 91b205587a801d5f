import { BitbucketError, DeadGrantError } from '../http/bitbucket-error';
import { readRefusal } from '../http/refusal';
import type { HttpAnswer } from '../http/request';

/**
 * A dead grant: `invalid_grant`, a 401, and `unauthorized_client`, Bitbucket's answer to a used
 * refresh token. Everything else (429, 5xx) passes, and the grant lives on.
 */
export function grantRefusal(call: string, answer: HttpAnswer, secrets: string[]): BitbucketError {
  const { details, body } = readRefusal(call, answer, secrets);
  const code = body.oauthError ?? '';
  if (code === 'invalid_client') {
    return new BitbucketError({
      ...details,
      bitbucketMessage: `${details.bitbucketMessage}: check the client id and the client secret of the OAuth consumer`,
    });
  }
  return isDead(answer.status, code) ? new DeadGrantError(details) : new BitbucketError(details);
}

function isDead(status: number, code: string): boolean {
  if (status === 401) return true;
  return status === 400 && (code === 'invalid_grant' || code === 'unauthorized_client');
}
