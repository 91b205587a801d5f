import { CdsError } from '@cds/wire';
import { actionButton } from './action-forms';
import { ACTIONS, isActionName } from './actions';
import { html } from './html';
import { facts, type Page } from './layout';
import type { PageRequest } from './page-deps';
import { hookPath } from './paths';

/** Asks whether an action is to be done. */
export async function confirmPage({ deps, query, params, formToken }: PageRequest): Promise<Page> {
  const name = params['action'] ?? '';
  if (!isActionName(name)) throw new CdsError('notFound', { from: 'there is no such action' });
  const { label, confirm, place } = ACTIONS[name];
  const [uuid, timestamp] = [query.text('uuid'), query.text('timestamp')];
  const target = { uuid, timestamp };
  const text =
    typeof confirm?.text === 'function' ? await confirm.text(deps, target) : confirm?.text;
  return {
    title: confirm?.title ?? `${label}?`,
    body: html` <p>${text}</p>
      ${facts([
        ['Task', uuid !== '' && html`<a href="${hookPath(uuid)}">${uuid}</a>`],
        ['Execution', timestamp],
      ])}
      <div class="actions">
        ${actionButton(name, target, { formToken, isBad: confirm?.isBad })}
        <a href="${place(target)}">Cancel</a>
      </div>`,
  };
}
