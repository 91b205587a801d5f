import { isTooComplex } from '@cds/network';
import type { z } from 'zod';
import { BitbucketError } from './bitbucket-error';
import type { HttpAnswer } from './request';

/** A page of Bitbucket's has some thousands. */
const MAX_VALUES = 1_000_000;

/** A reader of the answer's JSON body. It throws `invalid-answer`, never with values. */
export function parseJsonAnswer(call: string, answer: HttpAnswer): <T>(schema: z.ZodType<T>) => T {
  return (schema) => {
    const parsed = schema.safeParse(parseJson(call, answer));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') || 'the body';
    throw invalid(call, answer, `${where} is not as expected (${issue?.message ?? 'unknown'})`);
  };
}

function parseJson(call: string, answer: HttpAnswer): unknown {
  if (isTooComplex(answer.body, MAX_VALUES)) {
    throw invalid(call, answer, `the answer holds more than ${MAX_VALUES} values and was not read`);
  }
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    throw invalid(call, answer, 'the answer is not JSON');
  }
}

function invalid(call: string, answer: HttpAnswer, bitbucketMessage: string): BitbucketError {
  return new BitbucketError({
    kind: 'invalid-answer',
    call,
    status: answer.status,
    bitbucketMessage,
  });
}
