import { type HookOrder, pageOfHooks } from '@cds/hooks-store';
import { configValue, nameOf } from './describe-hook';
import { distanceOf, timeOf } from './format';
import { html } from './html';
import { lists, offsetPager, type Page, table } from './layout';
import { MAX_OFFSET, PAGE, type PageRequest } from './page-deps';
import { hookPath, pathOf } from './paths';

const LISTS = ['schedulers', 'polls'] as const;
const ORDERS: Readonly<Record<(typeof LISTS)[number], HookOrder>> = {
  schedulers: 'due',
  polls: 'polls',
};
const TITLES = { schedulers: 'Schedulers', polls: 'Polls of repositories' } as const;

/** What starts by itself, by its next time. */
export async function schedulePage({ deps, query }: PageRequest): Promise<Page> {
  const list = query.oneOf('list', LISTS);
  const offset = query.count('offset', 0, MAX_OFFSET);
  const page = { offset, limit: PAGE };
  const { found, total } = await pageOfHooks(deps.redis, ORDERS[list], page);
  const at = (from: number) => pathOf('/schedules', { list, offset: from });
  return {
    title: 'Schedules',
    section: 'Schedules',
    body: html` ${lists({ path: '/schedules', titles: TITLES, current: list })}
    ${table({
      caption: `${TITLES[list]}, ${total} in all, the next one first`,
      columns: ['Next time', 'Workflow', 'Schedule', 'Repository'],
      rows: found.map(({ task, at: due }) => [
        html`${timeOf(due)}, ${distanceOf(due, deps.now())}`,
        html`<a href="${hookPath(task.uuid)}">${nameOf(task)}</a>`,
        `${configValue(task.config, 'cron')} ${configValue(task.config, 'timezone')}`,
        configValue(task.config, 'repoFullName'),
      ]),
      none: 'There is none.',
    })}
    ${offsetPager(at, { offset, isMore: offset + PAGE < total })}`,
  };
}
