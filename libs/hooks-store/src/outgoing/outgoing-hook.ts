import { createHash } from 'node:crypto';
import { CdsError, type HookConfig, type TaskType, type WebHookExecution } from '@cds/wire';
import * as z from 'zod';
import { configValue } from '../unreadable/read-config';

const configValueSchema = z.looseObject({
  value: z.string(),
  configurable: z.boolean().default(false),
  type: z.string().default(''),
  multiple_choice_list: z.array(z.unknown()).nullable().default(null),
});

/** The body of `POST /task/execute`: the run of a node. */
export const nodeRunSchema = z.object({
  uuid: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'the uuid of a run holds letters, digits and -'),
  workflow_node_id: z.number().int().min(0),
  num: z.number().int().min(1),
  subnumber: z.number().int().min(0).default(0),
  outgoinghook: z
    .object({ config: z.record(z.string(), configValueSchema) })
    .nullish()
    .transform((hook) => hook ?? undefined),
});
export type NodeRun = z.infer<typeof nodeRunSchema>;

/** One run of an outgoing hook. */
export interface OutgoingHook {
  /** Of the hook: the same for its runs as long as its configuration stays. */
  uuid: string;
  type: Extract<TaskType, 'OutgoingWebhook' | 'OutgoingWorkflow'>;
  config: HookConfig;
  /** Tells a repeated request from a new run. */
  hookRun: string;
  request: WebHookExecution;
}

const TYPES = { WebHook: 'OutgoingWebhook', Workflow: 'OutgoingWorkflow' } as const;
const NO_REQUEST: WebHookExecution = {
  request_url: '',
  request_body: '',
  request_header: {},
  request_method: '',
};
const MAX_CONFIG = 1024 * 1024;

function isKnown(model: string): model is keyof typeof TYPES {
  return Object.hasOwn(TYPES, model);
}

function wrong(from: string): CdsError {
  return new CdsError('wrongRequest', { from });
}

/**
 * Reads task and execution from the run of an outgoing hook's node.
 * @throws CdsError 400 with what is missing, 413
 */
export function readOutgoingHook(run: NodeRun): OutgoingHook {
  if (!run.outgoinghook) throw wrong(`the node ${run.workflow_node_id} is no outgoing hook`);
  const given = run.outgoinghook.config as HookConfig;
  const of = (key: string): string => given[key]?.value ?? '';
  const model = of('model_name');
  if (of('model_type') !== 'builtin' || !isKnown(model)) {
    const known = `one of ${Object.keys(TYPES).join(', ')}, of the type builtin`;
    const shown = JSON.stringify(model.slice(0, 100));
    throw wrong(`outgoing hooks of the model ${shown} are not known: ${known}`);
  }
  const needed = {
    OutgoingWebhook: ['project', 'workflow', 'URL'],
    OutgoingWorkflow: ['project', 'workflow', 'target_project', 'target_workflow'],
  };
  const type = TYPES[model];
  const missing = needed[type].filter((key) => of(key) === '');
  if (missing.length > 0) throw wrong(`the configuration of the hook lacks ${missing.join(', ')}`);
  const json = JSON.stringify(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (json.length > MAX_CONFIG) {
    throw new CdsError('tooLarge', {
      from: `the configuration of the hook has more than ${MAX_CONFIG} characters`,
    });
  }
  const hash = createHash('sha256').update(json).digest('hex').slice(0, 16);
  return {
    uuid: Buffer.from(`${run.workflow_node_id}/${model}/${hash}`).toString('base64url'),
    type,
    hookRun: run.uuid,
    config: {
      ...given,
      HookRunID: configValue(run.uuid),
      Number: configValue(run.num),
      SubNumber: configValue(run.subnumber),
      HookID: configValue(run.workflow_node_id),
    },
    request:
      type === 'OutgoingWorkflow'
        ? NO_REQUEST
        : {
            request_url: of('URL'),
            request_body: Buffer.from(of('payload')).toString('base64'),
            request_header: { 'Content-Type': ['application/json'] },
            request_method: of('method'),
          },
  };
}
