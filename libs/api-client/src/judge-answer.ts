import { isCdsErrorBody } from '@cds/wire';
import { ApiError } from './api-error';
import type { HttpAnswer } from './send-request';

/** What stands between us and the API says these, and so does an API in maintenance. */
const UNAVAILABLE = new Set([502, 503, 504]);

/**
 * The error that `answer` means; undefined for a 2xx, also with a broken body. A web page is no
 * answer of the API, whatever its status.
 */
export function judgeAnswer(call: string, answer: HttpAnswer): ApiError | undefined {
  const { status, json, isPage } = answer;
  if (status >= 200 && status < 300 && !isPage) return undefined;
  if (!isCdsErrorBody(json)) {
    return new ApiError(
      'unavailable',
      `${call}: HTTP ${status} with a body that is not the CDS API's; check that api.http.url is the API and what stands in front of it`,
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
