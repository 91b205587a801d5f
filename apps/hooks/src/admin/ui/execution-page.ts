import { isCleanupId } from '@cds/hooks-store';
import type { TaskExecution } from '@cds/wire';
import { actionButton, actionLink } from './action-forms';
import { configFacts, nameOf, runLink } from './describe-hook';
import { timeOf } from './format';
import { html, type Part } from './html';
import { facts, type Page } from './layout';
import type { PageRequest } from './page-deps';
import { payloadOf } from './payload';
import { executionPath, hookPath } from './paths';

/** One execution: what became of it, and what it received. */
export async function executionPage(request: PageRequest): Promise<Page> {
  const { deps, params } = request;
  const ref = { uuid: params['uuid'] ?? '', timestamp: params['timestamp'] ?? '' };
  const execution = await deps.tasks.execution(ref);
  const isDead = isCleanupId(ref.uuid) ? execution.status === 'DONE' : await deps.admin.isDead(ref);
  const { uuid, config, last_error: error = '', replay_of: original } = execution;
  return {
    title: `Execution of ${nameOf(execution)}`,
    section: 'Hooks',
    body: html` ${facts([
        ['State', stateOf(execution, isDead)],
        ['Last error', error !== '' && html`<strong>${error}</strong>`],
        ['Errors', String(execution.nb_errors)],
        ['Run', runLink(deps.uiUrl(), config, execution.workflow_run)],
        ['Accepted', timeOf(execution.timestamp / 1e6)],
        [
          'Ended',
          execution.processing_timestamp > 0 && timeOf(execution.processing_timestamp / 1e6),
        ],
        [
          'Replay of',
          original !== undefined &&
            html`<a href="${executionPath({ uuid, timestamp: original })}">${original}</a>`,
        ],
        ['Hook', html`<a href="${hookPath(uuid)}">${uuid}</a>`],
        ['Type', execution.type],
        ['Timestamp', String(execution.timestamp)],
      ])}
      ${actionsOf(execution, isDead, request.formToken)}
      <h2>Payload</h2>
      ${payloadOf(execution)}
      <h2>Configuration of the hook at that time</h2>
      ${configFacts(config)}`,
  };
}

function stateOf({ status }: TaskExecution, isDead: boolean): Part {
  if (isDead) return html`<span class="bad">failed for good: a dead letter</span>`;
  if (status === 'DOING') return 'is processed now';
  if (status === 'SCHEDULED') return 'scheduled';
  return status === 'DONE' ? 'done' : 'waits';
}

function actionsOf(execution: TaskExecution, isDead: boolean, formToken: string): Part {
  const { uuid, timestamp, status } = execution;
  const target = { uuid, timestamp };
  if (isDead)
    return html`<div class="actions">
      ${actionButton('retry', target, { formToken })} ${actionLink('drop', target)}
    </div>`;
  const isEnded = status === 'DONE';
  return html`<div class="actions">
    ${isEnded ? actionLink('replay', target) : actionLink('end', target)}
  </div>`;
}
