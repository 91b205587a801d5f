import type { HookConfig } from '@cds/wire';
import { flattenJsonText } from '../../payloads/flatten-json';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import { planOfRun } from '../../payloads/plan-of-run';
import { parseQuery, type QueryPair } from '../../payloads/query-string';
import type { DeliveryPlan } from '@cds/hooks-store';

/** A request to a plain webhook (`WebHook`), with the configuration of its hook. */
export interface WebhookDelivery {
  config: HookConfig;
  /** Raw, without the question mark. */
  query: string;
  /** The `Content-Type` header; empty when there is none. */
  contentType: string;
  body: Buffer;
}

/** Configuration that a run does not get. */
const NOT_FOR_THE_RUN = new Set(['project', 'workflow', 'method']);
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Plans the run of a request to a plain webhook. Its payload holds, each overwriting the one
 * before: `payload` (the text of a JSON body), the hook's configuration, `cds.triggered_by.*`, and
 * the values of query, form or flattened JSON body, of which the first for a name wins.
 *
 * The **configured** method decides whether the body is read. A JSON body that is neither object
 * nor array, or cannot be parsed, gives `payload` alone.
 *
 * @throws MalformedExecutionError when query or form cannot be decoded, or there are too many
 *   variables
 */
export function planWebhook(delivery: WebhookDelivery): DeliveryPlan {
  const { config, body } = delivery;
  const query = decoded('query', delivery.query);
  const readsBody = METHODS_WITH_BODY.has(config.method?.value ?? '');
  const type = readsBody ? mediaType(delivery.contentType) : '';
  const form =
    type === 'application/x-www-form-urlencoded'
      ? decoded('form-encoded body', body.toString('latin1'))
      : [];
  const json = type === 'application/json' ? body.toString('utf8') : undefined;

  return planOfRun([
    ...(json === undefined ? [] : [['payload', json] as const]),
    ...Object.entries(config)
      .filter(([key]) => !NOT_FOR_THE_RUN.has(key))
      .map(([key, { value }]) => [key, value] as const),
    ['cds.triggered_by.username', 'cds.webhook'],
    ['cds.triggered_by.fullname', 'CDS Webhook'],
    ...(json === undefined ? [] : flattenJsonText(json)),
    ...form.reverse(),
    ...query.reverse(),
  ]);
}

/** `Application/JSON; charset=utf-8` → `application/json`. Empty for an empty header. */
export function mediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function decoded(what: string, text: string): QueryPair[] {
  const result = parseQuery(text);
  if ('pairs' in result) return result.pairs;
  throw new MalformedExecutionError(`the ${what} holds ${result.problem}`);
}
