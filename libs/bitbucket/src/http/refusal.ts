import { BitbucketError, type BitbucketErrorDetails } from './bitbucket-error';
import { hideSecrets } from './hide-secrets';
import { type ErrorBody, parseErrorBody } from './parse-error-body';
import type { HttpAnswer } from './request';
import { parseRetryAfter } from './retry-after';

export interface Refusal {
  details: BitbucketErrorDetails;
  body: ErrorBody;
}

/** Reads an answer of 300 and above. `secrets` are cut out of Bitbucket's message. */
export function readRefusal(call: string, answer: HttpAnswer, secrets: readonly string[]): Refusal {
  const body = parseErrorBody(answer.body, (text) => hideSecrets(text, secrets));
  return {
    body,
    details: {
      kind: 'answer',
      call,
      status: answer.status,
      bitbucketMessage: body.message || 'refused without a message',
      retryAfterSeconds: parseRetryAfter(answer.header('retry-after'), Date.now()),
    },
  };
}

export function refusalError(
  call: string,
  answer: HttpAnswer,
  secrets: readonly string[],
): BitbucketError {
  return new BitbucketError(readRefusal(call, answer, secrets).details);
}
