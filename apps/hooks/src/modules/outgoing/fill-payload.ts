import { type Budget, interpolate, InterpolateError } from '@cds/interpolate';
import { flattenJson } from '../../payloads/flatten-json';
import { MalformedExecutionError } from '../../payloads/malformed-execution';

export interface FillPayloadOrder {
  template: string;
  /** By the name of the variable. */
  values: ReadonlyMap<string, string>;
}

/**
 * The payload of the target workflow: its JSON flattened, and its text; nothing for `{}`.
 *
 * @throws InterpolateError
 */
export function fillPayload(
  { template, values }: FillPayloadOrder,
  budget?: Budget,
): Record<string, string> {
  if (template.trim() === '' || template.trim() === '{}') return {};
  const text = interpolate(template, values, { budget });
  return Object.fromEntries([['payload', text], ...flattened(text)]);
}

/** @throws InterpolateError */
function flattened(text: string): Iterable<[string, string]> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return []; // As with webhooks, other text gives `payload` alone.
  }
  try {
    return flattenJson(json);
  } catch (error) {
    if (!(error instanceof MalformedExecutionError)) throw error;
    throw new InterpolateError(error.message, { cause: error });
  }
}
