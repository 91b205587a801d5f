import { BitbucketError, type BitbucketErrorDetails } from './bitbucket-error';
import { hideSecrets } from './hide-secrets';
import { type ErrorBody, parseErrorBody } from './parse-error-body';
import type { HttpAnswer } from './request';

/** Reads an answer of 300 and above. `secrets` are cut out of Bitbucket's message. */
export function readRefusal(
  call: string,
  answer: HttpAnswer,
  secrets: readonly string[],
): { details: BitbucketErrorDetails; body: ErrorBody } {
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

/**
 * Reads a `Retry-After` header: seconds, or an HTTP date (RFC 9110, 10.2.3). Returns whole seconds
 * from now, never negative; undefined when the header is absent or makes no sense.
 */
export function parseRetryAfter(header: string, nowMs: number): number | undefined {
  const text = header.trim();
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Math.ceil(Number(text));
  if (!/[a-z]/i.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000));
}
