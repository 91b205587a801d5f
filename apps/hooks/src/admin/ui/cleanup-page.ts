import { type Cleanup, type CleanupSet, pageOfCleanups } from '@cds/hooks-store';
import { actionButton, actionLink } from './action-forms';
import { distanceOf, timeOf } from './format';
import { html, type Part } from './html';
import { lists, offsetPager, type Page, table } from './layout';
import { MAX_OFFSET, PAGE, type PageRequest } from './page-deps';
import { hookPath, pathOf } from './paths';

const LISTS = ['scheduled', 'stopped', 'failed'] as const;
type List = (typeof LISTS)[number];
const SETS: Readonly<Record<List, CleanupSet>> = {
  scheduled: 'cleanups',
  stopped: 'stoppedCleanups',
  failed: 'failedCleanups',
};
const TITLES: Readonly<Record<List, string>> = {
  scheduled: 'Scheduled cleanups',
  stopped: 'Stopped cleanups',
  failed: 'Failed and ended cleanups',
};

/** The removals of the runs of deleted branches. */
export async function cleanupPage({ deps, query, formToken }: PageRequest): Promise<Page> {
  const list = query.oneOf('list', LISTS);
  const offset = query.count('offset', 0, MAX_OFFSET);
  const page = { offset, limit: PAGE };
  const { found, total } = await pageOfCleanups(deps.redis, SETS[list], page);
  const at = (from: number) => pathOf('/cleanups', { list, offset: from });
  return {
    title: 'Cleanups',
    section: 'Cleanups',
    body: html` <p>
        The removals of the runs of deleted branches. A push to the branch cancels its cleanup.
      </p>
      ${lists({ path: '/cleanups', titles: TITLES, current: list })}
      ${table({
        caption: `${TITLES[list]}, ${total} in all`,
        columns: ['Branch', 'Workflow', 'Repository', 'Due', 'Last error', 'Actions'],
        rows: found.map((cleanup) => cellsOf(cleanup, { formToken, now: deps.now() })),
        none: 'There is none.',
      })}
      ${offsetPager(at, { offset, isMore: offset + PAGE < total })}`,
  };
}

function cellsOf(cleanup: Cleanup, of: { formToken: string; now: number }): Part[] {
  const { id, branch, project, workflow, repository, due, last_error: error } = cleanup;
  return [
    html`<a href="${hookPath(id)}">${branch || id}</a>`,
    `${project}/${workflow}`,
    repository,
    due > 0 ? html`${timeOf(due)}, ${distanceOf(due, of.now)}` : '–',
    error,
    cleanupActions(cleanup, of.formToken),
  ];
}

/** What can be done with a cleanup as it stands. */
export function cleanupActions(
  { id: uuid, status, branch }: Pick<Cleanup, 'id' | 'status' | 'branch'>,
  formToken: string,
): Part {
  const about = `the cleanup of ${branch}`;
  return html`<div class="actions">
    ${
      status === 'waiting'
        ? [actionLink('stop', { uuid }, about), html``, actionLink('do-now', { uuid }, about)]
        : actionButton('start', { uuid }, { formToken, about })
    }
  </div>`;
}
