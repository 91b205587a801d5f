import { randomUUID } from 'node:crypto';
import type { HookConfig, HookConfigValue, NodeHook } from '@cds/wire';
import { ApiRefusal } from './api-refusal';
import type { Project, Workflow } from './model';

export type ProjectStore = ReturnType<typeof createProjectStore>;

/** Projects and their workflows. */
export function createProjectStore() {
  const projects = new Map<string, Project>();
  let lastWorkflowId = 0;

  /** @throws ApiRefusal 404, id 30 */
  function project(key: string): Project {
    const found = projects.get(key);
    if (!found) throw new ApiRefusal('projectNotFound');
    return found;
  }

  return {
    project,
    all: (): Project[] => [...projects.values()],

    /** Creates a project, or returns the one there is. */
    ensureProject(key: string): Project {
      const found = projects.get(key) ?? {
        ...{ key, links: new Map(), vcsProjects: new Map() },
        ...{ workflows: new Map(), integrations: new Map() },
      };
      projects.set(key, found);
      return found;
    },

    /** @throws ApiRefusal 404, id 30 or 92 */
    workflow(key: string, name: string): Workflow {
      const found = project(key).workflows.get(name);
      if (!found) throw new ApiRefusal('workflowNotFound');
      return found;
    },

    nextWorkflowId(): number {
      lastWorkflowId += 1;
      return lastWorkflowId;
    },

    /** All hooks of all workflows, as `GET /workflow/hook` lists them. */
    hooks: (): NodeHook[] =>
      [...projects.values()].flatMap(({ workflows }) =>
        [...workflows.values()].map(({ hook }) => hook),
      ),
  };
}

/** One value of a hook's configuration. */
export function configValue(value: string, type = '', configurable = false): HookConfigValue {
  return { value, configurable, type, multiple_choice_list: null };
}

/**
 * The ids of the kinds of hooks, as they were recorded; pollers and RabbitMQ were not, and nobody
 * reads theirs.
 */
const MODEL_IDS = {
  WebHook: 1,
  RepositoryWebHook: 2,
  'Git Repository Poller': 3,
  Scheduler: 4,
  'RabbitMQ hook': 6,
} as const;

/**
 * A hook before it is saved: without id, as `POST /task/bulk` carries it.
 *
 * @param more what else the generation of CDS writes
 */
export function newHook(
  model: keyof typeof MODEL_IDS,
  config: HookConfig,
  more: Record<string, unknown>,
): NodeHook {
  return {
    ...more,
    id: 0,
    uuid: randomUUID(),
    node_id: 0,
    hook_model_id: MODEL_IDS[model],
    hook_model_name: model,
    config,
  } as NodeHook;
}
