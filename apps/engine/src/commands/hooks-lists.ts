import {
  type Cleanup,
  listCleanups,
  listExecutions,
  type ListedExecution,
  listTasks,
  shortTime,
  timestampOfId,
} from '@cds/hooks-store';
import type { Task } from '@cds/wire';
import { CommandError } from '../command-error';
import type { ConfigOption } from '../command-options';
import type { Context } from '../context';
import { checkLimit, checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';
import { type Columns, formatJson, formatTable } from '../print';

export interface ListOptions extends ConfigOption {
  json?: true;
  limit: string;
}

export interface TaskListOptions extends ListOptions {
  workflow?: string;
}

/** Prints rows as JSON for programs, or as a table for people. */
export function printRows<T>(
  rows: readonly T[],
  o: { json: true | undefined; none: string; columns: Columns<T> },
  context: Context,
): void {
  if (o.json) context.out(formatJson(rows));
  else context.out(rows.length === 0 ? `${o.none}\n` : formatTable(o.columns, rows));
}

export function sayNewest(shown: number, total: number, context: Context): void {
  if (total > shown)
    context.say(`These are the ${shown} newest of ${total}: --limit ${total} shows all.`);
}

/** `engine hooks tasks list` */
export async function printTasks(o: TaskListOptions, context: Context): Promise<void> {
  const limit = checkLimit(o.limit);
  const isWanted = (task: Task) => o.workflow === undefined || nameOf(task) === o.workflow;
  const list = await withServiceRedis('hooks', o.config, context, (redis) =>
    listTasks(redis, limit, isWanted),
  );
  const { found, total, unreadable } = list;
  const rows = found
    .map((task) => ({
      uuid: task.uuid,
      type: task.type,
      project: valueOf(task, 'project'),
      workflow: valueOf(task, 'workflow'),
      repository: valueOf(task, 'repoFullName'),
      stopped: task.stopped,
      nb_executions_total: task.nb_executions_total,
      nb_executions_todo: task.nb_executions_todo,
    }))
    .sort((a, b) => (`${workflowOf(a)}/${a.uuid}` < `${workflowOf(b)}/${b.uuid}` ? -1 : 1));
  const columns: Columns<(typeof rows)[number]> = {
    UUID: ({ uuid }) => uuid,
    TYPE: ({ type }) => type,
    WORKFLOW: workflowOf,
    WAITING: (row) => row.nb_executions_todo,
    'IN ALL': (row) => row.nb_executions_total,
    STATE: ({ stopped }) => (stopped ? 'stopped' : 'runs'),
    REPOSITORY: ({ repository }) => repository,
  };
  printRows(rows, { json: o.json, none: 'There are no such tasks.', columns }, context);
  if (unreadable.length > 0)
    context.say(
      `${unreadable.length} task(s) cannot be read and are left out: save their workflows. ` +
        unreadable.slice(0, 10).join(' '),
    );
  if (rows.length === limit && total > limit)
    context.say(`There are ${total} tasks in all: --limit ${total} looks at more.`);
}

/** `engine hooks executions list UUID` */
export async function printExecutions(
  uuid: string,
  o: ListOptions,
  context: Context,
): Promise<void> {
  checkUuid(uuid);
  const limit = checkLimit(o.limit);
  const list = await withServiceRedis('hooks', o.config, context, (redis) =>
    listExecutions(redis, uuid, limit),
  );
  if (!list) throw new CommandError(`there is no task ${uuid}: see engine hooks tasks list.`);
  const { found, total } = list;
  const none = 'There are no executions of this task.';
  printRows(found, { json: o.json, none, columns: EXECUTIONS }, context);
  sayNewest(found.length, total, context);
}

const EXECUTIONS: Columns<ListedExecution> = {
  TIMESTAMP: ({ timestamp }) => timestamp,
  STATUS: ({ status }) => status,
  'ACCEPTED AT': (execution) => shortTime(execution.accepted_at),
  TYPE: ({ type }) => type,
  'BRANCH OR TAG': ({ refs }) => refs.join(', '),
  RUN: ({ workflow_run: run }) => (run === 0 ? '' : run),
  'REQUEST ID': (execution) => execution.request_id,
  ERRORS: (execution) => execution.nb_errors,
  'LAST ERROR': (execution) => execution.last_error,
};

/** `engine hooks cleanups list` */
export async function printCleanups(o: ListOptions, context: Context): Promise<void> {
  const limit = checkLimit(o.limit);
  const { found, total } = await withServiceRedis('hooks', o.config, context, (redis) =>
    listCleanups(redis, limit),
  );
  const rows = found.map(cleanupFields);
  const none = 'There are no cleanups of deleted branches.';
  printRows(rows, { json: o.json, none, columns: CLEANUPS }, context);
  if (total > rows.length)
    context.say(`These are ${rows.length} of ${total}: --limit ${total} shows all.`);
}

function cleanupFields(cleanup: Cleanup) {
  const { id, status, due, accepted, hook, project, workflow, repository, branch } = cleanup;
  return {
    uuid: id,
    timestamp: timestampOfId(accepted),
    status,
    due: new Date(due).toISOString(),
    ...{ hook, project, workflow, repository, branch },
    request_id: cleanup.requestId,
    nb_errors: cleanup.nb_errors,
    last_error: cleanup.last_error,
  };
}

const CLEANUPS: Columns<ReturnType<typeof cleanupFields>> = {
  UUID: ({ uuid }) => uuid,
  STATUS: ({ status }) => status,
  DUE: ({ due }) => shortTime(due),
  WORKFLOW: workflowOf,
  REPOSITORY: ({ repository }) => repository,
  BRANCH: ({ branch }) => branch,
  'REQUEST ID': (row) => row.request_id,
  'LAST ERROR': (row) => row.last_error,
};

function valueOf({ config }: Task, key: string): string {
  return config?.[key]?.value ?? '';
}

function nameOf(task: Task): string {
  return `${valueOf(task, 'project')}/${valueOf(task, 'workflow')}`;
}

function workflowOf(row: { project: string; workflow: string }): string {
  return `${row.project}/${row.workflow}`;
}
