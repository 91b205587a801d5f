import { interpolate, InterpolateError } from '@cds/interpolate';
import { GO_ZERO_TIME } from '@cds/wire';
import { flattenJson, FlattenedTooLargeError } from '../payloads/flatten-json';
import { type CallHook, type HookCall, type HookCallOutcome, nodeOf } from './hook-call';

const LARGEST_PAYLOAD = 1024 * 1024;

/** Outgoing workflows: starts a run of the target, which knows whose child it is. */
export const callWorkflow: CallHook = async (call): Promise<HookCallOutcome> => {
  const { execution, ref, start } = call;
  const of = (key: string): string => execution.config?.[key]?.value ?? '';
  const [project, workflow] = [of('target_project'), of('target_workflow')];
  let payload: Record<string, string>;
  try {
    payload = await call.byItself(() => payloadOf(of('payload'), call));
  } catch (error) {
    if (!(error instanceof InterpolateError) && !(error instanceof FlattenedTooLargeError))
      throw error;
    return { kind: 'failed', message: error.message, final: true };
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
    callback: {
      workflow_node_outgoing_hook_id: nodeOf(execution),
      start,
      done: GO_ZERO_TIME,
      status: 'Building',
      log: `Workflow ${project}/${workflow} #${run.runNumber}.${run.subNumber} has been started`,
      workflow_run_number: run.runNumber,
    },
  };
};

/**
 * The payload as the target gets it: its JSON flattened, and its text; nothing of `{}`.
 *
 * @throws InterpolateError, FlattenedTooLargeError
 */
function payloadOf(template: string, { parameters }: HookCall): Record<string, string> {
  if (template.trim() === '' || template.trim() === '{}') return {};
  const values = new Map(parameters.map(({ name, value }) => [name, value]));
  const text = interpolate(template, values, { limit: LARGEST_PAYLOAD });
  return Object.fromEntries([['payload', text], ...flattened(text)]);
}

function flattened(text: string): Iterable<[string, string]> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return []; // As with webhooks: what is no JSON is handed on as `payload` alone.
  }
  return flattenJson(json);
}
