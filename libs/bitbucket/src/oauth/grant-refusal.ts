import { BitbucketError, DeadGrantError } from '../http/bitbucket-error';
import { readRefusal } from '../http/refusal';
import type { HttpAnswer } from '../http/request';

/**
 * What a refusal of the token endpoint means. A grant is dead on `invalid_grant`, on a 401, and on what Bitbucket really
 * answers to a used refresh token: `unauthorized_client`, "Invalid OAuth client credentials". Everything else (a wrong
 * client secret, 429, 5xx) can be set right or passes, and the grant lives on.
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
  return isDead(answer.status, code, body.message)
    ? new DeadGrantError(details)
    : new BitbucketError(details);
}

function isDead(status: number, code: string, message: string): boolean {
  if (status === 401) return true;
  if (status !== 400) return false;
  if (code === 'invalid_grant') return true;
  return code === 'unauthorized_client' && /invalid oauth client credentials/i.test(message);
}
