import { InterpolateError } from '@cds/interpolate';
import { type CallToShow, credentialsOf, notShown } from './call-log';
import type { CallBounds, createCallTarget } from './call-target';
import type { CallHook, HookCallOutcome } from './hook-call';
import { CallFailedError, hostOf } from './target-request';
import { variablesOf } from './variables';
import { type OffThread, OffThreadError } from './worker-thread/off-thread';

/** Calls the target of an outgoing webhook with the variables of the run filled in. */
export function createCallWebhook(deps: {
  callTarget: ReturnType<typeof createCallTarget>;
  bounds: CallBounds;
  offThread: OffThread;
}): CallHook {
  const { callTarget, bounds, offThread } = deps;

  return async function callWebhook(call): Promise<HookCallOutcome> {
    const details = await call.details();
    const { values, secrets } = variablesOf(call.parameters, details);
    const { project } = call.ref;
    const { webhook } = call.execution;
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
      return { kind: 'over', result: { status: 'Success', log, workflow_run_number: null } };
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
