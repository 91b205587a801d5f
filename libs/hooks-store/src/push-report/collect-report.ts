import type { Task } from '@cds/wire';
import type { Redis } from 'ioredis';
import { isoOf } from '../clock';
import { readCleanupOf } from '../lists/cleanup-list';
import { listHistory } from '../lists/execution-history';
import { readHookQueue } from '../lists/hook-queue-state';
import { tasksOfRepository } from '../lists/task-list';
import { createRefusalStore } from '../refusals/refusal-store';
import { createTaskStore } from '../tasks/task-store';
import { isTaskUuid } from '../tasks/task-uuid';
import { type HookReport, type PushEvent, type ReportedCleanup, timeOf } from './push-report';

const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/i;
const OF_BITBUCKET = /^https?:\/\/bitbucket\.org\/([^/\s]+\/[^/\s?#]+)/i;

/**
 * What a report is asked of, in a pasted text: `workspace/repository`, its address at Bitbucket,
 * the URL of a webhook, or the uuid of a hook.
 * @returns the repository or the uuid; undefined where there is none
 */
export function pushTarget(given: string): string | undefined {
  const repository = OF_BITBUCKET.exec(given)?.[1]?.replace(/\.git$/, '') ?? given;
  if (/^[^\s/:]+\/[^\s/]+$/.test(repository)) return repository;
  const uuid = UUID.exec(given)?.[0]?.toLowerCase() ?? given.replace(/^.*\/webhook\//, '');
  return isTaskUuid(uuid) ? uuid : undefined;
}

/** Hooks of one repository that are reported. */
export const MAX_HOOKS = 50;
/** Executions of a hook that are looked through for a branch. */
const SEARCHED = 1_000;

/**
 * The tasks that are asked about.
 * @param target uuid of a task, or `workspace/slug`, whose case does not count
 * @param signal ends the search, with its reason as the error
 */
export async function tasksOf(redis: Redis, target: string, signal?: AbortSignal): Promise<Task[]> {
  if (!target.includes('/')) {
    const task = await createTaskStore({ redis }).read(target);
    return task ? [task] : [];
  }
  return (await tasksOfRepository(redis, target, MAX_HOOKS, signal)).found;
}

/**
 * What Redis has of the newest pushes to a hook, without what Bitbucket was sent of them.
 * @param o.signal ends the reading, with its reason as the error
 */
export async function reportOf(
  redis: Redis,
  task: Task,
  o: { limit: number; branch: string | undefined; signal?: AbortSignal },
): Promise<HookReport> {
  const { limit, branch, signal } = o;
  const { uuid } = task;
  const [queue, history, refusals, cleanup] = await Promise.all([
    readHookQueue(redis, uuid),
    listHistory(redis, uuid, branch === undefined ? limit : SEARCHED, signal),
    createRefusalStore({ redis }).of(uuid),
    branch === undefined ? undefined : readCleanupOf(redis, uuid, branch),
  ]);
  const executions = (history?.found ?? []).filter(
    ({ refs }) => branch === undefined || refs.includes(branch),
  );
  const events: PushEvent[] = [
    ...executions.map((each) => ({ ...each, kind: 'execution' as const, statuses: null })),
    // What was not read has no branch: it may be the one.
    ...refusals.map((each) => ({ ...each, kind: 'refusal' as const })),
  ];
  const cleanups: ReportedCleanup[] = cleanup
    ? [
        {
          uuid: cleanup.id,
          branch: cleanup.branch,
          status: cleanup.status,
          due: isoOf(cleanup.due),
          last_error: cleanup.last_error,
        },
      ]
    : [];
  return {
    ...{ uuid, type: task.type, stopped: task.stopped },
    project: valueOf(task, 'project'),
    workflow: valueOf(task, 'workflow'),
    repository: valueOf(task, 'repoFullName'),
    queue,
    events: events.sort((a, b) => timeOf(b) - timeOf(a)).slice(0, limit),
    cleanups,
  };
}

function valueOf({ config }: Task, key: string): string {
  return config?.[key]?.value ?? '';
}
