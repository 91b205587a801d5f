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
