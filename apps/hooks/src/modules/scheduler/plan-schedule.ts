import type { HookConfig } from '@cds/wire';
import { flattenJsonText } from '../../payloads/flatten-json';
import { planOfRun } from '../../payloads/plan-of-run';
import type { DeliveryPlan } from '@cds/hooks-store';

/** Configuration that a run does not get. */
const NOT_FOR_THE_RUN = new Set(['project', 'workflow', 'cron', 'timezone', 'payload']);

/**
 * Plans the run of a scheduler. Its payload holds, each overwriting the one before: the flattened
 * `payload` of the configuration, its text as `payload` (neither when it is `{}`), the rest of the
 * configuration, and `cds.triggered_by.*`.
 *
 * @throws MalformedExecutionError when the payload flattens into too much
 */
export function planSchedule(config: HookConfig): DeliveryPlan {
  const text = config.payload?.value;
  const given = text !== undefined && text !== '{}';
  return planOfRun([
    ...(given ? [...flattenJsonText(text, 'payload: '), ['payload', text] as const] : []),
    ...Object.entries(config)
      .filter(([key]) => !NOT_FOR_THE_RUN.has(key))
      .map(([key, { value }]) => [key, value] as const),
    ['cds.triggered_by.username', 'cds.scheduler'],
    ['cds.triggered_by.fullname', 'CDS Scheduler'],
  ]);
}
