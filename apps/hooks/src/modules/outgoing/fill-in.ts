import { type Budget, createBudget, interpolate, InterpolateError } from '@cds/interpolate';
import type { WebHookExecution } from '@cds/wire';
import type { TargetRequest } from './target-request';

export interface FillInOrder {
  webhook: WebHookExecution;
  /** By the name of the variable. */
  values: ReadonlyMap<string, string>;
  maxRequestBytes: number;
}

/** Of method, URL and each header. */
const MAX_FIELD_LENGTH = 65_536;

/**
 * The request with the variables of the run filled in. Method, URL, headers and body share one
 * budget.
 *
 * @throws InterpolateError, TooMuchWorkError
 */
export function fillIn(order: FillInOrder, budget: Budget = createBudget()): TargetRequest {
  const { webhook, values, maxRequestBytes } = order;
  const fill = (text: string, limit = MAX_FIELD_LENGTH): string =>
    interpolate(text, values, { limit, budget });
  const headers = Object.entries(webhook.request_header).map(([name, given]) => {
    const value = fill(given.join(', '));
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new InterpolateError(`the header ${name} would hold invalid characters`);
    }
    return [name, value];
  });
  return {
    method: fill(webhook.request_method),
    url: fill(webhook.request_url),
    headers: Object.fromEntries(headers) as Record<string, string>,
    // A character has one byte or more, so a longer body is refused in any case.
    body: fill(Buffer.from(webhook.request_body, 'base64').toString(), maxRequestBytes + 1),
  };
}
