import { NEW_STATE, traitsOf } from '@cds/hooks-store';
import type { ImportDeps, KnownTasks } from './import-tasks';
import type { StoredReferenceExecution } from './read-reference';
import { type ReferenceExecution, stateOfExecution } from './reference-records';

/** Clocks of two machines. */
const AHEAD_MS = 3_600_000;

type Hook = KnownTasks['hooks'][number];
type ReferenceWebhook = NonNullable<ReferenceExecution['webhook']>;

/**
 * Imports accepted deliveries of the reference without runs, by hook, oldest first. Ended ones are
 * only counted: their history stays there.
 */
export async function importDeliveries(deps: ImportDeps, known: KnownTasks): Promise<void> {
  const { reference, into, reporter, retryError, now } = deps;

  /** Reads all, keeps the names of those with something left to do and when the last one ended. */
  async function pendingOf({ type, uuid }: Hook): Promise<{ pending: string[]; ended: number }> {
    const pending: string[] = [];
    let ended = 0;
    const timestamps = await reference.timestamps(type, uuid);
    for await (const found of reference.executions(type, uuid, timestamps)) {
      const { timestamp, key, execution } = found;
      if (!execution.ok) reporter.problem(key, execution.reason);
      else if (stateOfExecution(execution.value, retryError) !== 'done') pending.push(timestamp);
      else ended = Math.max(ended, Number(timestamp));
    }
    return { pending, ended };
  }

  async function importOne(hook: Hook, found: StoredReferenceExecution, ended: number) {
    const { timestamp, key, execution } = found;
    if (!execution.ok) return;
    const before = stateOfExecution(execution.value, retryError);
    if (before === 'done') return;
    const { webhook, nb_errors, last_error, config } = execution.value;
    if (!webhook) return reporter.problem(key, 'it holds no request');
    const { request_url, request_body, request_header } = webhook;
    const acceptedUs = Number(BigInt(timestamp) / 1000n);
    const acceptedAt = Math.floor(acceptedUs / 1000);
    if (acceptedAt > now + AHEAD_MS) return reporter.problem(key, 'its timestamp is in the future');
    const row = (result: string) =>
      reporter.row({
        ...{ kind: 'delivery', type: hook.type, uuid: hook.uuid, workflow: hook.workflow, result },
        date: new Date(acceptedAt).toISOString(),
      });
    if (traitsOf(hook.type).takesPushes && header(webhook, 'x-event-key') !== 'repo:push')
      return row('starts no run');
    const result = await into.delivery({
      ...{ uuid: hook.uuid, timestamp, acceptedUs, late: Number(timestamp) < ended },
      requestUuid: requestUuid(webhook),
      execution: {
        type: hook.type,
        config,
        webhook: { request_url, request_body, request_header, request_method: '' },
        accepted_at: acceptedAt,
      },
      state: { ...NEW_STATE, nb_errors, last_error },
    });
    row(DELIVERY_RESULTS[result] + (result === 'known' ? '' : WHY[before]));
  }

  for (const hook of known.hooks) {
    const { pending, ended } = await pendingOf(hook);
    for await (const found of reference.executions(hook.type, hook.uuid, pending)) {
      await importOne(hook, found, ended);
    }
  }
}

const DELIVERY_RESULTS = {
  ok: 'imported',
  late: 'imported for its runs alone',
  known: 'imported before',
  duplicate: 'came in again since',
  unknown: 'its task is gone',
};
const WHY = { waiting: '', 'under-way': ', was under way', retry: ', had failed' };

function header({ request_header: headers }: ReferenceWebhook, name: string): string {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return found?.[1][0] ?? '';
}

/** By which Bitbucket would send the delivery again. */
function requestUuid(webhook: ReferenceWebhook): string {
  const text = header(webhook, 'x-request-uuid');
  return /^[\x21-\x7e]{1,128}$/.test(text) ? text : '';
}
