import { InterpolateError } from '@cds/interpolate';
import { GO_ZERO_TIME } from '@cds/wire';
import { type OffThread, OffThreadError } from './worker-thread/off-thread';
import type { CallHook, HookCallOutcome } from './hook-call';

/** Starts a run of the target workflow, with the calling run as its parent. */
export function createCallWorkflow({ offThread }: { offThread: OffThread }): CallHook {
  return async function callWorkflow(call): Promise<HookCallOutcome> {
    const { execution, ref } = call;
    const of = (key: string): string => execution.config?.[key]?.value ?? '';
    const [project, workflow] = [of('target_project'), of('target_workflow')];
    let payload: Record<string, string>;
    try {
      const values = new Map(call.parameters.map(({ name, value }) => [name, value]));
      const order = { template: of('payload'), values };
      payload = await call.attempt(() => offThread.run('fillPayload', order, call.ref.project));
    } catch (error) {
      if (!(error instanceof InterpolateError) && !(error instanceof OffThreadError)) throw error;
      const final = error instanceof InterpolateError;
      return { kind: 'failed', message: error.message, final };
    }
    const event = {
      payload,
      uuid: of('target_hook'),
      parent_workflow: {
        key: ref.project,
        name: ref.workflow,
        run: ref.number,
        HookRunID: ref.hookRun,
      },
    };
    const run = await call.ask((api) => api.runWorkflow({ project, workflow, event }));
    return {
      kind: 'over',
      result: {
        done: GO_ZERO_TIME,
        status: 'Building',
        log: `Workflow ${project}/${workflow} #${run.runNumber}.${run.subNumber} has been started`,
        workflow_run_number: run.runNumber,
      },
    };
  };
}
