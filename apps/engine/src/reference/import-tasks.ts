import { type Import, isTaskUuid, type TaskToKeep, traitsOf } from '@cds/hooks-store';
import { TASK_TYPES, type TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import type { Reporter } from './import-report';
import type { Reference, StoredTask } from './read-reference';
import type { ReferenceTask } from './reference-records';

/** The tasks of the reference, as far as deliveries and cleanups need them. */
export interface KnownTasks {
  /** Hooks whose deliveries are taken over. */
  hooks: { uuid: string; type: 'RepoWebHook' | 'Webhook'; workflow: string }[];
  /** {@link workflowName} → its repository webhooks. */
  byWorkflow: Map<string, { uuid: string; repository: string }[]>;
  deletions: Deletion[];
}

/** The removal of a deleted branch's runs, a task of its own there. */
export interface Deletion {
  uuid: string;
  key: string;
  project: string;
  workflow: string;
  branch: string;
  /** By a push that brought the branch back, or by an operator. */
  stopped: boolean;
}

/** For people, and to tell workflows apart: a key of a project holds no slash. */
export function workflowName(project: string, workflow: string): string {
  return `${project}/${workflow}`;
}

export interface ImportDeps {
  reference: Reference;
  /** Of this project's hooks. */
  redis: Redis;
  into: Import;
  reporter: Reporter;
  /** Tries in all, as both services are configured. */
  retryError: number;
  now: number;
}

/** Imports tasks of every type, and returns what deliveries and cleanups need of them. */
export async function importTasks(deps: ImportDeps): Promise<KnownTasks> {
  const { reference, into, reporter, now } = deps;
  const known: KnownTasks = { hooks: [], byWorkflow: new Map(), deletions: [] };

  async function importTask({ uuid, key, task }: StoredTask): Promise<void> {
    if (!task.ok) return reporter.problem(key, task.reason);
    const { type, stopped } = task.value;
    const project = task.value.config?.project?.value ?? '';
    const workflow = task.value.config?.workflow?.value ?? '';
    const name = workflowName(project, workflow);
    const row = { kind: 'task', type, uuid, date: '', workflow: name } as const;
    if (type === 'BranchDeletion') {
      const branch = task.value.config?.branch?.value ?? '';
      known.deletions.push({ uuid, key, project, workflow, branch, stopped });
      return;
    }
    if (!isOurType(type)) return reporter.row({ ...row, result: 'not taken over' });
    if (!isTaskUuid(uuid)) return reporter.problem(key, 'its uuid is none that a hook may have');
    const result = await into.task(toKeep(task.value, type), stopped, now);
    reporter.row({ ...row, result: TASK_RESULTS[result] + (stopped ? STOPPED : '') });
    if (traitsOf(type).whyNotServed !== undefined) reporter.unserved(type);
    if (type !== 'RepoWebHook' && type !== 'Webhook') return;
    known.hooks.push({ uuid, type, workflow: name });
    if (type === 'Webhook') return;
    const repository = task.value.config?.repoFullName?.value ?? '';
    const hooks = known.byWorkflow.get(name) ?? [];
    known.byWorkflow.set(name, [...hooks, { uuid, repository }]);
  }

  for await (const tasks of reference.tasks()) await Promise.all(tasks.map(importTask));
  return known;
}

const TASK_RESULTS = { ok: 'imported', there: 'there already', known: 'imported before' };
const STOPPED = ', stopped there';

const OUR_TYPES: readonly string[] = Object.values(TASK_TYPES);

function isOurType(type: string): type is TaskType {
  return OUR_TYPES.includes(type);
}

function toKeep({ uuid, config }: ReferenceTask, type: TaskType): TaskToKeep {
  if (type === 'Workflow') return { uuid, type, method: '', config: null };
  const takesWebhooks = type === 'RepoWebHook' || type === 'Webhook';
  const method = takesWebhooks ? (config?.method?.value || 'POST').toUpperCase() : '';
  return { uuid, type, method, config: config ?? {} };
}
