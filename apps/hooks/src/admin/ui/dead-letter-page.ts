import type { DeadLetter } from '@cds/hooks-store';
import { actionButton, actionLink } from './action-forms';
import { timeOf } from './format';
import { html, type Part } from './html';
import { offsetPager, type Page, table } from './layout';
import { MAX_OFFSET, PAGE, type PageRequest } from './page-deps';
import { executionPath, hookPath, pathOf } from './paths';

/** What failed for good, of one hook or of all, to retry or drop. */
export async function deadLetterPage({ deps, query, formToken }: PageRequest): Promise<Page> {
  const uuid = query.text('uuid') || undefined;
  const offset = query.count('offset', 0, MAX_OFFSET);
  const letters = await deps.admin.list({ uuid, offset, limit: PAGE + 1 });
  const shown = letters.slice(0, PAGE);
  const at = (from: number) => pathOf('/dead-letters', { uuid, offset: from });
  return {
    title: 'Dead letters',
    section: 'Dead letters',
    body: html` <p>
        Executions and cleanups that failed for good, the newest first. A retry asks only for what
        failed; it comes after what waits.
      </p>
      ${uuid !== undefined && html`<p>Those of <a href="${hookPath(uuid)}">${uuid}</a> alone. <a href="${pathOf('/dead-letters')}">Show all</a></p>`}
      ${
        shown.length > 0 &&
        html`<p class="actions">
          ${actionLink('retry-all', { uuid })} ${actionLink('drop-all', { uuid })}
        </p>`
      }
      ${table({
        caption: 'Dead letters',
        columns: ['Failed', 'Workflow', 'Branch', 'Why', 'Errors', 'Actions'],
        rows: shown.map((letter) => cellsOf(letter, formToken)),
        none: 'There is none.',
      })}
      ${offsetPager(at, { offset, isMore: letters.length > PAGE }, ['Newer', 'Older'])}`,
  };
}

function cellsOf(letter: DeadLetter, formToken: string): Part[] {
  const { kind, uuid, timestamp, project, workflow, repository, branch = '' } = letter;
  const of = project === '' ? uuid : `${project}/${workflow}`;
  const about = `${kind} of ${of} ${branch}`.trim();
  const target = { uuid, timestamp };
  return [
    html`<a href="${executionPath(letter)}">${timeOf(letter.failed_at)}</a>`,
    html`<a href="${hookPath(uuid)}">${of}</a>,
      ${kind}${repository !== '' && html`<br />${repository}`}`,
    branch,
    letter.last_error,
    letter.nb_errors,
    html`<div class="actions">
      ${actionButton('retry', target, { formToken, about })} ${actionLink('drop', target, about)}
    </div>`,
  ];
}
