import * as z from 'zod';
import type { NodeHook } from '@cds/wire';

// Only essential fields are required: other versions of CDS add fields and leave some out.

// A default costs a tenth of what catching the lack of a value does.
const text = z.string().default('').catch('');
const integer = z.number().int().default(0).catch(0);
const flag = z.boolean().default(false).catch(false);

/** A uuid has 36 characters, a hash no more; both become headers and names of keys. */
const MAX_NAME_LENGTH = 1_024;
/** Far more than a CDS has; what else there is of them would only fill the memory. */
const MAX_SETTINGS = 1_000;
function fewSettings<T extends z.ZodType>(settings: T) {
  return z
    .unknown()
    .refine(
      (value) =>
        typeof value !== 'object' || value === null || Object.keys(value).length <= MAX_SETTINGS,
    )
    .pipe(settings);
}

const hookConfig = fewSettings(
  z.record(
    z.string(),
    z.object({
      value: text,
      configurable: flag,
      type: text,
      multiple_choice_list: z.array(z.unknown()).nullable().default(null).catch(null),
    }),
  ),
);

export const hookUuid = z.string().min(1).max(MAX_NAME_LENGTH);

/** An entry of `GET /workflow/hook`. */
export const nodeHook: z.ZodType<NodeHook> = z.object({
  id: integer,
  uuid: hookUuid,
  ref: text,
  node_id: integer,
  hook_model_id: integer,
  hook_model_name: text,
  // Whatever cannot be read must not replace the configuration that a task has.
  config: hookConfig.nullish().transform((config) => config ?? {}),
});

/** `POST /services/register`. Without its hash the service cannot talk to the API. */
export const serviceRegistration = z.object({
  type: z.enum(['vcs', 'hooks']),
  hash: z.string().min(1).max(MAX_NAME_LENGTH),
  // Only a clear "false" is worth a warning.
  up_to_date: z.boolean().catch(true),
});

/** `GET /mon/version`. */
export const versionInfo = z.object({ version: z.string() });

/** `POST …/runs`: a large object, of which the number is shown. 0 when it cannot be read. */
export const startedRun = z
  .object({ num: integer, last_subnumber: integer })
  .catch({ num: 0, last_subnumber: 0 });

/** A variable of a run, with the type that CDS gives it (`string`, `password`, …). */
export interface BuildParameter {
  name: string;
  type: string;
  value: string;
}

const buildParameter: z.ZodType<BuildParameter> = z.object({
  name: z.string().min(1),
  type: text,
  value: z.string(),
});

/**
 * A run of an outgoing hook, alone or within its workflow's run. What is no variable is left out.
 */
export const hookRun = z.object({
  build_parameters: z
    .array(z.unknown())
    .nullish()
    .transform((entries) =>
      (entries ?? []).flatMap((entry) => buildParameter.safeParse(entry).data ?? []),
    ),
});

/** A run of a workflow, as far as an outgoing hook asks for it. */
export interface RunOfHook {
  status: string;
  /** Undefined when the run has none of this uuid. */
  hookRun: z.infer<typeof hookRun> | undefined;
}

/** `GET …/runs/{number}`. Its nodes are looked through, not checked: there may be thousands. */
export const workflowRun = z.object({
  status: z.string(),
  nodes: z.record(z.string(), z.unknown()).nullish(),
});
type WorkflowRun = z.infer<typeof workflowRun>;

function* nodeRunsOf({ nodes }: WorkflowRun): Generator {
  for (const runs of Object.values(nodes ?? {})) if (Array.isArray(runs)) yield* runs;
}

/** The run of an outgoing hook among the nodes of its workflow's run. */
export function findHookRun(run: WorkflowRun, uuid: string): RunOfHook['hookRun'] {
  for (const each of nodeRunsOf(run)) {
    const found = Object(each) as { uuid?: unknown; outgoinghook?: unknown };
    if (found.uuid !== uuid || !found.outgoinghook) continue;
    const { data } = hookRun.safeParse(found);
    if (data) return data;
  }
  return undefined;
}

const nodeRun = z.object({
  workflow_node_name: z.string(),
  subnumber: z.int().nonnegative().catch(0),
  status: z.string(),
});

/** The state of a workflow's node in its newest run within a run of the workflow. */
export interface NodeRun {
  subNumber: number;
  /** In CDS's words: `Success`, `Fail`, `Building`, … */
  status: string;
}

/** The newest run of the node of this name among the nodes of its workflow's run. */
export function findNodeRun(run: WorkflowRun, nodeName: string): NodeRun | undefined {
  let newest: NodeRun | undefined;
  for (const each of nodeRunsOf(run)) {
    const { data } = nodeRun.safeParse(each);
    if (data?.workflow_node_name !== nodeName) continue;
    if (newest && data.subnumber < newest.subNumber) continue;
    newest = { subNumber: data.subnumber, status: data.status };
  }
  return newest;
}

/** `GET /config/vcs`: VCS servers by their names; Go writes none as null. */
export const vcsServers = fewSettings(z.record(z.string(), z.unknown()).nullable());

/** `GET /project/{key}/integrations/{name}`. A handful of values, some of them secret. */
export const integration = z.object({
  config: fewSettings(z.record(z.string(), z.object({ value: text }))),
});

/** `GET /config/user`. */
export const userConfig = z.object({ 'url.ui': text });

/** `GET …/runs`: as much of a listed run as says what it ran on. A page without any is `null`. */
export const listedRuns = z
  .array(
    z.object({
      num: z.int().positive(),
      tags: z
        .array(z.object({ tag: text, value: text }))
        .nullish()
        .transform((tags) => tags ?? []),
    }),
  )
  .nullable();
