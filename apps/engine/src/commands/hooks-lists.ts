import {
  type Cleanup,
  listCleanups,
  listExecutions,
  type ListedExecution,
  listTasks,
  timestampOfId,
} from '@cds/hooks-store';
import type { Task } from '@cds/wire';
import { CommandError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { checkLimit, checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';
import { formatJson } from '../print-json';
import { formatTable } from '../print-table';

export interface ListOptions extends ConfigOption {
  json?: true;
  limit: string;
}

export interface TaskListOptions extends ListOptions {
  workflow?: string;
}

/** Prints rows as JSON for programs, or as a table for people. */
export function printRows<T>(
  rows: T[],
  o: { json: true | undefined; none: string; table: (rows: T[]) => string },
  context: Context,
): void {
  if (o.json) context.out(formatJson(rows));
  else context.out(rows.length === 0 ? `${o.none}\n` : o.table(rows));
}

export function sayNewest(shown: number, total: number, context: Context): void {
  if (total > shown)
    context.say(`These are the ${shown} newest of ${total}: --limit ${total} shows all.`);
}

/** `engine hooks tasks list` */
export async function printTasks(o: TaskListOptions, context: Context): Promise<void> {
  const limit = checkLimit(o.limit);
  const { workflow } = o;
  const isWanted = (task: Task) => workflow === undefined || nameOf(task) === workflow;
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
    .sort((a, b) => (nameOfRow(a) < nameOfRow(b) ? -1 : 1));
  const table = () =>
    formatTable(
      ['UUID', 'TYPE', 'WORKFLOW', 'WAITING', 'IN ALL', 'STATE', 'REPOSITORY'],
      rows.map((row) => [
        row.uuid,
        row.type,
        `${row.project}/${row.workflow}`,
        String(row.nb_executions_todo),
        String(row.nb_executions_total),
        row.stopped ? 'stopped' : 'runs',
        row.repository,
      ]),
    );
  printRows(rows, { json: o.json, none: 'There are no such tasks.', table }, context);
  if (unreadable.length > 0)
    context.say(
      `${unreadable.length} task(s) cannot be read and are left out: save their workflows. ${unreadable.slice(0, 10).join(' ')}`,
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
  const table = () => formatTable(EXECUTIONS, found.map(executionRow));
  printRows(found, { json: o.json, none: 'There are no executions of this task.', table }, context);
  sayNewest(found.length, total, context);
}

const EXECUTIONS = [
  ...['TIMESTAMP', 'STATUS', 'ACCEPTED AT', 'TYPE', 'BRANCH OR TAG', 'RUN', 'REQUEST ID'],
  ...['ERRORS', 'LAST ERROR'],
];

function executionRow(execution: ListedExecution): string[] {
  const { workflow_run: run } = execution;
  return [
    String(execution.timestamp),
    execution.status,
    execution.accepted_at.replace(/\.\d+Z$/, 'Z'),
    execution.type,
    execution.refs.join(', '),
    run === 0 ? '' : String(run),
    execution.request_id,
    String(execution.nb_errors),
    execution.last_error,
  ];
}

/** `engine hooks cleanups list` */
export async function printCleanups(o: ListOptions, context: Context): Promise<void> {
  const limit = checkLimit(o.limit);
  const { found, total } = await withServiceRedis('hooks', o.config, context, (redis) =>
    listCleanups(redis, limit),
  );
  const rows = found.map(cleanupFields);
  const table = () =>
    formatTable(
      ['UUID', 'STATUS', 'DUE', 'WORKFLOW', 'REPOSITORY', 'BRANCH', 'REQUEST ID', 'LAST ERROR'],
      rows.map((row) => [
        row.uuid,
        row.status,
        row.due.replace(/\.\d+Z$/, 'Z'),
        `${row.project}/${row.workflow}`,
        row.repository,
        row.branch,
        row.request_id,
        row.last_error,
      ]),
    );
  const none = 'There are no cleanups of deleted branches.';
  printRows(rows, { json: o.json, none, table }, context);
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

function valueOf({ config }: Task, key: string): string {
  return config?.[key]?.value ?? '';
}

function nameOf(task: Task): string {
  return `${valueOf(task, 'project')}/${valueOf(task, 'workflow')}`;
}

function nameOfRow(row: { project: string; workflow: string; uuid: string }): string {
  return `${row.project}/${row.workflow}/${row.uuid}`;
}
