import { z } from 'zod';
import { GO_ZERO_TIME, type NodeHook, type ServiceRegistration, type VersionInfo } from '@cds/wire';

// Only essential fields are required: other versions of CDS add fields and leave some out.

const text = z.string().catch('');
const integer = z.number().int().catch(0);
const flag = z.boolean().catch(false);

/** A uuid has 36 characters, a hash no more; both become headers and names of keys. */
const MAX_NAME_LENGTH = 1_024;
/** Far more than a CDS has; what else there is of them would only fill the memory. */
const MAX_SETTINGS = 1_000;
const hasFewSettings = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || Object.keys(value).length <= MAX_SETTINGS;

const hookConfig = z
  .unknown()
  .refine(hasFewSettings)
  .pipe(
    z.record(
      z.string(),
      z.object({
        value: text,
        configurable: flag,
        type: text,
        multiple_choice_list: z.array(z.unknown()).nullable().catch(null),
      }),
    ),
  );

/** An entry of `GET /workflow/hook`. */
export const nodeHook: z.ZodType<NodeHook> = z.object({
  id: integer,
  uuid: z.string().min(1).max(MAX_NAME_LENGTH),
  ref: text,
  node_id: integer,
  hook_model_id: integer,
  hook_model_name: text,
  // Whatever cannot be read must not replace the configuration that a task has.
  config: hookConfig.nullish().transform((config) => config ?? {}),
});

/** `POST /services/register`. Without its hash the service cannot talk to the API. */
export const serviceRegistration: z.ZodType<ServiceRegistration> = z.object({
  id: integer,
  name: text,
  type: z.enum(['vcs', 'hooks']),
  http_url: text,
  last_heartbeat: z.string().catch(GO_ZERO_TIME),
  hash: z.string().min(1).max(MAX_NAME_LENGTH),
  token: text,
  group_id: z.number().nullable().catch(null),
  group: z.null().catch(null),
  monitoring_status: z
    .object({
      now: text,
      lines: z
        .array(z.unknown())
        .max(MAX_SETTINGS)
        .pipe(
          z.array(
            z.object({
              status: z.enum(['OK', 'WARN', 'AL']),
              component: text,
              value: text,
              type: text,
            }),
          ),
        ),
    })
    .catch({ now: '', lines: [] }),
  // Our own, sent back unused, of any depth.
  config: z.unknown().transform((): Record<string, unknown> => ({})),
  is_shared_infra: flag,
  version: text,
  // Only a clear "false" is worth a warning.
  up_to_date: z.boolean().catch(true),
});

/** `GET /mon/version`. */
export const versionInfo: z.ZodType<VersionInfo> = z.object({
  version: z.string(),
  architecture: text,
  os: text,
  git_hash: text,
  build_time: text,
  db_migrate: z.string().nullable().catch(null),
});

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

/** A run of an outgoing hook, alone or within its workflow's run. What is no variable is left out. */
export const hookRun = z.object({
  uuid: text,
  outgoinghook: z.unknown(),
  build_parameters: z
    .array(z.unknown())
    .nullish()
    .transform((entries) =>
      (entries ?? []).flatMap((entry) => {
        const parsed = buildParameter.safeParse(entry);
        return parsed.success ? [parsed.data] : [];
      }),
    ),
});
export type HookRun = z.infer<typeof hookRun>;

/** A run of a workflow, as far as an outgoing hook asks for it. */
export interface RunOfHook {
  status: string;
  /** Undefined when the run has none of this uuid. */
  hookRun: HookRun | undefined;
}

/** `GET …/runs/{number}`. Its nodes are looked through, not checked: there may be thousands. */
export const workflowRun = z.object({
  status: z.string(),
  nodes: z.record(z.string(), z.unknown()).nullish(),
});

/** The run of an outgoing hook among the nodes of its workflow's run. */
export function findHookRun(run: z.infer<typeof workflowRun>, uuid: string): HookRun | undefined {
  for (const runs of Object.values(run.nodes ?? {})) {
    if (!Array.isArray(runs)) continue;
    const found: unknown = runs.find(
      (each: unknown) =>
        typeof each === 'object' &&
        each !== null &&
        (each as { uuid?: unknown }).uuid === uuid &&
        Boolean((each as { outgoinghook?: unknown }).outgoinghook),
    );
    const parsed = hookRun.safeParse(found);
    if (parsed.success) return parsed.data;
  }
  return undefined;
}

/** `GET /config/vcs`: VCS servers by their names; Go writes none as null. */
export const vcsServers = z
  .unknown()
  .refine(hasFewSettings)
  .pipe(z.record(z.string(), z.unknown()).nullable());

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
export function findNodeRun(
  run: z.infer<typeof workflowRun>,
  nodeName: string,
): NodeRun | undefined {
  let newest: NodeRun | undefined;
  for (const runs of Object.values(run.nodes ?? {})) {
    if (!Array.isArray(runs)) continue;
    for (const each of runs as unknown[]) {
      const { data } = nodeRun.safeParse(each);
      if (data?.workflow_node_name !== nodeName) continue;
      if (newest && data.subnumber < newest.subNumber) continue;
      newest = { subNumber: data.subnumber, status: data.status };
    }
  }
  return newest;
}

/** `GET /project/{key}/integrations/{name}`. A handful of values, some of them secret. */
export const integration = z.object({
  config: z
    .unknown()
    .refine(hasFewSettings)
    .pipe(z.record(z.string(), z.object({ value: text }))),
});

/** `POST /auth/consumer/builtin/signin`. */
export const signIn = z.object({ token: z.string().max(16_384) });

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
