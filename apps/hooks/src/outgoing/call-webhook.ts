import { InterpolateError } from '@cds/interpolate';
import { callLogOf, type CallToShow, credentialsOf } from './call-log';
import { CallFailedError, type CallBounds, type createCallTarget } from './call-target';
import { fillIn } from './fill-in';
import { type CallHook, type HookCallOutcome, nodeOf } from './hook-call';
import { variablesOf } from './variables';

export interface CallWebhookDeps {
  callTarget: ReturnType<typeof createCallTarget>;
  bounds: CallBounds;
  nowIso: () => string;
}

/**
 * Outgoing webhooks: fills the variables of the run in, calls the target, and tells what was sent and answered, secrets
 * masked.
 */
export function createCallWebhook(deps: CallWebhookDeps): CallHook {
  const { callTarget, bounds, nowIso } = deps;

  return async function callWebhook(call): Promise<HookCallOutcome> {
    const details = await call.details();
    const { values, secrets } = variablesOf(call.parameters, details);
    const { execution, start } = call;
    const { webhook } = execution;
    const { maxRequestBytes } = bounds;
    const show = (toShow: CallToShow): Promise<string> =>
      call.byItself(() => callLogOf({ call: toShow, secrets }));
    try {
      if (!webhook) throw new CallFailedError('the execution holds no request', true);
      const request = await call.byItself(() => fillIn({ webhook, values, maxRequestBytes }));
      secrets.push(...credentialsOf(request));
      const answer = await callTarget(request, call.signal);
      const log = await show(answer);
      if (answer.status >= 400) {
        return { kind: 'failed', message: `HTTP Status ${answer.status}`, final: false, log };
      }
      return {
        kind: 'over',
        callback: {
          workflow_node_outgoing_hook_id: nodeOf(execution),
          start,
          done: nowIso(),
          status: 'Success',
          log,
          workflow_run_number: null,
        },
      };
    } catch (error) {
      if (!(error instanceof CallFailedError) && !(error instanceof InterpolateError)) throw error;
      const final = error instanceof InterpolateError || error.final;
      return { kind: 'failed', message: await show({ error: error.message }), final };
    }
  };
}
