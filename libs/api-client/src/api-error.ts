import { isCdsErrorBody } from '@cds/wire';
import type { HttpAnswer } from './send-request';

/**
 * Why a call of the CDS API failed.
 * - `refused`: the API answered with its error body; also with a 500.
 * - `unauthorized`: its 401. It does not know the hash (or, when registering, the token).
 * - `unavailable`: no answer of the API: no connection, too slow, 502, 503, 504, or a body that is
 * not CDS's (a proxy's page). It may be carried out: {@link ApiError.mayBeDone}.
 */
export type ApiErrorKind = 'refused' | 'unauthorized' | 'unavailable';

/** A failed call of the CDS API. Its message holds neither the token nor the hash. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status, undefined when there was no answer. */
  readonly status?: number | undefined;
  /** CDS's error number, undefined when the body was not CDS's. */
  readonly cdsId?: number | undefined;
  /** Whether the API may carry the call out: it was sent, and no answer says what became of it. */
  readonly mayBeDone: boolean;

  constructor(
    readonly kind: ApiErrorKind,
    message: string,
    details: Partial<Pick<ApiError, 'status' | 'cdsId' | 'mayBeDone'>> = {},
  ) {
    super(message);
    this.status = details.status;
    this.cdsId = details.cdsId;
    this.mayBeDone = details.mayBeDone ?? kind === 'unavailable';
  }
}

/** Whether `error` is an {@link ApiError}. */
export function isApiError(error: unknown): error is ApiError {
  return error instanceof ApiError;
}

/** What stands between us and the API says these, and so does an API in maintenance. */
const UNAVAILABLE = new Set([502, 503, 504]);

/**
 * The error that `answer` means; undefined for a 2xx, also with a broken body. A web page is no
 * answer of the API, whatever its status.
 */
export function errorOfAnswer(call: string, answer: HttpAnswer): ApiError | undefined {
  const { status, json, isPage } = answer;
  if (status >= 200 && status < 300 && !isPage) return undefined;
  if (!isCdsErrorBody(json)) {
    return new ApiError(
      'unavailable',
      `${call}: HTTP ${status} with a body that is not the CDS API's; ` +
        'check that api.http.url is the API and what stands in front of it',
      { status },
    );
  }
  const details = { status, cdsId: json.id };
  const from = typeof json.from === 'string' && json.from !== '' ? ` (from: ${json.from})` : '';
  const sentence = `${call}: ${json.message}${from} (HTTP ${status}, CDS error ${json.id})`;
  if (status === 401) return new ApiError('unauthorized', sentence, details);
  if (UNAVAILABLE.has(status)) {
    // In maintenance the API itself says 503, and does nothing.
    return new ApiError('unavailable', sentence, { ...details, mayBeDone: status !== 503 });
  }
  return new ApiError('refused', sentence, details);
}
