import type { HookConfig } from '@cds/wire';
import { FlattenedTooLargeError, flattenJson } from './flatten-json';
import { MalformedWebhookError } from './malformed-delivery';
import { mediaType } from './media-type';
import { parseQuery, type QueryPair } from './query-string';
import type { DeliveryPlan, WebhookVerdict } from './types';

/** A request to a plain webhook (`WebHook`), with the configuration of its hook. */
export interface WebhookDelivery {
  config: HookConfig;
  /** The raw query, without its `?`. */
  query: string;
  /** The `Content-Type` header, empty when there is none. */
  contentType: string;
  body: Buffer;
}

/** Part of every hook's configuration, of no use to the workflow that runs. */
const NOT_FOR_THE_RUN = new Set(['project', 'workflow', 'method']);
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * The run that a request to a plain webhook asks for. Its payload holds, each overwriting the one before:
 * `payload` (the text of a JSON body), the hook's configuration, `cds.triggered_by.*`, and the values of
 * query, form or flattened JSON body, of which the first for a name wins.
 *
 * The **configured** method decides whether the body is read; a JSON body that is neither object nor array,
 * or cannot be parsed, gives `payload` alone.
 *
 * @throws MalformedWebhookError when query or form cannot be decoded, or the body flattens into too much
 */
export function planWebhook(delivery: WebhookDelivery): DeliveryPlan {
  const { config } = delivery;
  const values = new Map<string, string>();
  addFirst(values, decoded('query', delivery.query));

  const type = METHODS_WITH_BODY.has(config.method?.value ?? '')
    ? mediaType(delivery.contentType)
    : '';
  if (type === 'application/x-www-form-urlencoded') {
    addFirst(values, decoded('form-encoded body', delivery.body.toString('latin1')));
  }
  const jsonText = type === 'application/json' ? delivery.body.toString('utf8') : undefined;
  if (jsonText !== undefined) addFirst(values, flattened(jsonText));

  // A Map and Object.fromEntries: `__proto__` is a name like any other.
  const payload = Object.fromEntries([
    ...(jsonText === undefined ? [] : [['payload', jsonText] as const]),
    ...Object.entries(config)
      .filter(([key]) => !NOT_FOR_THE_RUN.has(key))
      .map(([key, { value }]) => [key, value] as const),
    ['cds.triggered_by.username', 'cds.webhook'] as const,
    ['cds.triggered_by.fullname', 'CDS Webhook'] as const,
    ...values,
  ]);
  return {
    runs: [{ payload }],
    steps: [{ type: 'run', payload }],
    deletedBranches: [],
    pushedBranches: [],
    changes: [],
    repository: '',
  };
}

/** Whether {@link planWebhook} can plan the request; if not, what the sender has to change. */
export function judgeWebhookDelivery(delivery: WebhookDelivery): WebhookVerdict {
  try {
    planWebhook(delivery);
    return { kind: 'ok' };
  } catch (error) {
    if (error instanceof MalformedWebhookError) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}

function addFirst(values: Map<string, string>, pairs: Iterable<QueryPair>): void {
  for (const [name, value] of pairs) if (!values.has(name)) values.set(name, value);
}

function decoded(what: string, text: string): QueryPair[] {
  const result = parseQuery(text);
  if ('pairs' in result) return result.pairs;
  throw new MalformedWebhookError(
    `the ${what} holds ${JSON.stringify(result.invalidEscape)}, which is no percent-encoded byte: write a percent sign as %25`,
  );
}

function flattened(jsonText: string): Iterable<QueryPair> {
  let body: unknown;
  try {
    body = JSON.parse(jsonText);
  } catch {
    return []; // As recorded: what is no JSON is handed on as `payload` alone.
  }
  try {
    return flattenJson(body);
  } catch (error) {
    if (!(error instanceof FlattenedTooLargeError)) throw error;
    throw new MalformedWebhookError(error.message, { cause: error });
  }
}
