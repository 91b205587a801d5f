import type { Json } from './model';

/** A refusal of the API, in Bitbucket's envelope. */
export class BitbucketApiError extends Error {
  override readonly name = 'BitbucketApiError';

  constructor(
    readonly status: number,
    message: string,
    readonly extra: { fields?: Record<string, string[]>; detail?: unknown; data?: Json } = {},
  ) {
    super(message);
  }

  toBody(): Json {
    return { type: 'error', error: { message: this.message, ...this.extra } };
  }
}

/** 400 for one field of a body, as Bitbucket's validation puts it. */
export function invalidField(field: string, problem: string): BitbucketApiError {
  return new BitbucketApiError(400, `${field}: ${problem}`, { fields: { [field]: [problem] } });
}
