import { isTooComplex } from '@cds/network';
import type * as z from 'zod';
import { invalidAnswer } from './bitbucket-error';
import type { HttpAnswer } from './request';

/** A page of Bitbucket's has some thousands. */
const MAX_VALUES = 1_000_000;

/** A reader of the answer's JSON body. It throws `invalid-answer`, never with values. */
export function parseJsonAnswer(
  call: string,
  { body, status }: HttpAnswer,
): <T>(schema: z.ZodType<T>) => T {
  const invalid = (message: string) => invalidAnswer(call, message, status);

  function parseJson(): unknown {
    if (isTooComplex(body, MAX_VALUES))
      throw invalid(`the answer holds more than ${MAX_VALUES} values and was not read`);
    try {
      return JSON.parse(body.toString('utf8'));
    } catch {
      throw invalid('the answer is not JSON');
    }
  }

  return (schema) => {
    const parsed = schema.safeParse(parseJson());
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') || 'the body';
    throw invalid(`${where} is not as expected (${issue?.message ?? 'unknown'})`);
  };
}
