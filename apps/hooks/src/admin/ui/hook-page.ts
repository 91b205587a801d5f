import { isCleanupId, reportOf } from '@cds/hooks-store';
import type { Task } from '@cds/wire';
import { actionButton, actionLink } from './action-forms';
import { cleanupActions } from './cleanup-page';
import { configFacts, configValue, nameOf } from './describe-hook';
import { timeOf } from './format';
import { stateOf } from './hook-list-page';
import { html } from './html';
import { facts, type Page, pager } from './layout';
import { PAGE, type PageRequest } from './page-deps';
import { hookPath, pathOf } from './paths';
import { pushEvents } from './push-events';

/** Executions that are shown at most; each is read with its body. */
const MAX_SHOWN = 500;

/** One hook, or one cleanup: its executions, and what can be done with it. */
export async function hookPage(request: PageRequest): Promise<Page> {
  const { deps, params } = request;
  const uuid = params['uuid'] ?? '';
  const task = await deps.tasks.task(uuid);
  return isCleanupId(uuid) ? cleanupTaskPage(request, task) : ofHook(request, task);
}

async function ofHook(request: PageRequest, task: Task): Promise<Page> {
  const { deps, query, formToken, signal } = request;
  const { uuid, config } = task;
  const limit = Math.max(1, query.count('limit', PAGE, MAX_SHOWN));
  const [report, next] = await Promise.all([
    reportOf(deps.redis, task, { limit, branch: undefined, signal }),
    deps.handleTasks.nextRun(task),
  ]);
  const events = await pushEvents(request, { task, report });
  const isMore = report.events.length >= limit && limit < MAX_SHOWN;
  const repository = configValue(config, 'repoFullName');
  return {
    title: nameOf(task),
    section: 'Hooks',
    body: html`${facts([
        ['State', stateOf(task)],
        ['Type', task.type],
        ['Repository', repository],
        [
          'Next time',
          next && html`${timeOf(next.due)}${next.error !== '' && `, the last one: ${next.error}`}`,
        ],
        ['Uuid', html`<code>${uuid}</code>`],
      ])}
      <div class="actions">
        ${
          task.stopped
            ? actionButton('start', { uuid }, { formToken })
            : actionLink('stop', { uuid })
        }
        <a href="${pathOf('/dead-letters', { uuid })}">Its dead letters</a>
        ${actionLink('retry-all', { uuid }, undefined, 'Retry all its dead letters')}
        ${report.queue.signed && actionLink('reset-signature', { uuid })}
      </div>
      <h2>Executions</h2>
      ${events}
      ${pager([
        [
          'Show more',
          isMore ? `${hookPath(uuid)}?limit=${Math.min(MAX_SHOWN, limit * 4)}` : undefined,
        ],
      ])}
      <h2>Configuration</h2>
      ${configFacts(config)}`,
  };
}

function cleanupTaskPage({ formToken }: PageRequest, task: Task): Page {
  const { uuid, config, stopped, executions } = task;
  const [execution] = executions ?? [];
  const branch = configValue(config, 'branch');
  const isFailed = execution?.status === 'DONE';
  const status = isFailed ? 'failed' : stopped ? 'stopped' : 'waiting';
  return {
    title: `Cleanup of ${branch}`,
    section: 'Cleanups',
    body: html` <p>The removal of the runs of ${nameOf(task)} for the deleted branch ${branch}.</p>
      ${facts([
        ['State', isFailed ? html`<span class="bad">failed or ended</span>` : stateOf(task)],
        ['Repository', configValue(config, 'repository')],
        ['Due', timeOf(execution?.scheduled_task?.date_scheduled_execution)],
        ['Last error', execution?.last_error],
        ['Errors', String(execution?.nb_errors ?? 0)],
        ['Uuid', html`<code>${uuid}</code>`],
      ])}
      ${cleanupActions({ id: uuid, status, branch }, formToken)}`,
  };
}
