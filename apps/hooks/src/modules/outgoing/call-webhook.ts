import { InterpolateError } from '@cds/interpolate';
import { type OffThread, OffThreadError } from './worker-thread/off-thread';
import { type CallToShow, credentialsOf, notShown } from './call-log';
import { CallFailedError } from './call-failed-error';
import type { CallBounds, createCallTarget } from './call-target';
import { hostOf } from './target-request';
import { type CallHook, type HookCallOutcome, nodeOf } from './hook-call';
import { variablesOf } from './variables';

export interface CallWebhookDeps {
  callTarget: ReturnType<typeof createCallTarget>;
  bounds: CallBounds;
  nowIso: () => string;
  offThread: OffThread;
}

/** Calls the target of an outgoing webhook with the variables of the run filled in. */
export function createCallWebhook(deps: CallWebhookDeps): CallHook {
  const { callTarget, bounds, nowIso, offThread } = deps;

  return async function callWebhook(call): Promise<HookCallOutcome> {
    const details = await call.details();
    const { values, secrets } = variablesOf(call.parameters, details);
    const { execution, start } = call;
    const { project } = call.ref;
    const { webhook } = execution;
    const { maxRequestBytes } = bounds;
    /** Never fails, since a call must not be repeated because its log cannot be shown. */
    const show = (toShow: CallToShow): Promise<string> =>
      call.attempt(() =>
        offThread.run('callLogOf', { call: toShow, secrets }, project).catch((error: unknown) => {
          if (!(error instanceof OffThreadError)) throw error;
          return notShown(error.message);
        }),
      );
    try {
      if (!webhook) throw new CallFailedError('the execution holds no request', true);
      const order = { webhook, values, maxRequestBytes };
      const request = await call.attempt(() => offThread.run('fillIn', order, project));
      secrets.push(...credentialsOf(request));
      const host = hostOf(request.url);
      if (host !== undefined && !call.takeHost(host)) return { kind: 'host is full' };
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
      if (error instanceof OffThreadError) {
        const message = `the request cannot be made: ${error.message}`;
        return { kind: 'failed', message, final: false };
      }
      if (!(error instanceof CallFailedError) && !(error instanceof InterpolateError)) throw error;
      const final = error instanceof InterpolateError || error.final;
      return { kind: 'failed', message: await show({ error: error.message }), final };
    }
  };
}
