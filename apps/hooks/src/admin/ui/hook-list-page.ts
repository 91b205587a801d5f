import { pageOfHooks, scanTasks } from '@cds/hooks-store';
import { CdsError, type Task } from '@cds/wire';
import { configValue, nameOf } from './describe-hook';
import { distanceOf, timeOf } from './format';
import { html, type Part } from './html';
import { lists, offsetPager, type Page, pager, search, table } from './layout';
import { MAX_OFFSET, PAGE, type PageRequest } from './page-deps';
import { hookPath, pathOf } from './paths';

const LISTS = ['all', 'waiting', 'stopped'] as const;
const TITLES = {
  all: 'All hooks',
  waiting: 'Waiting hooks',
  stopped: 'Stopped hooks with pending executions',
} as const;

const COLUMNS = ['Workflow', 'Type', 'Repository', 'State', 'Pending', 'Executions', 'Uuid'];

/** Finds hooks, and lists those with pending executions. Never reads more than one page of each. */
export async function hookListPage({ deps, query }: PageRequest): Promise<Page> {
  const list = query.oneOf('list', LISTS);
  const words = query.text('q');
  const body =
    list === 'all'
      ? await found(deps, { words, cursor: query.text('cursor') || '0' })
      : await waiting(deps, list, query.count('offset', 0, MAX_OFFSET));
  return {
    title: 'Hooks',
    section: 'Hooks',
    body: html` ${search({
      path: '/hooks',
      label: 'Find hooks',
      button: 'Find',
      fields: [
        {
          ...{ name: 'q', label: 'Repository, project, workflow or uuid', value: words },
          hint: 'a part of it; empty for all',
        },
      ],
    })}
    ${lists({ path: '/hooks', titles: TITLES, current: list })} ${body}`,
  };
}

async function found(
  { redis }: PageRequest['deps'],
  { words, cursor }: { words: string; cursor: string },
): Promise<Part> {
  if (!/^\d{1,19}$/.test(cursor))
    throw new CdsError('wrongRequest', { from: 'cursor is none of this list' });
  const isWanted = matcher(words);
  const { found: tasks, next } = await scanTasks(redis, { cursor, limit: PAGE, isWanted });
  const more = next === '0' ? undefined : pathOf('/hooks', { q: words, cursor: next });
  return [
    table({
      caption: words === '' ? TITLES.all : `Hooks with ${words}`,
      columns: COLUMNS,
      rows: tasks.map(cellsOf),
      none: more === undefined ? 'There is no such hook.' : 'None so far: look further.',
    }),
    pager([['Look further', more]]),
  ];
}

function matcher(words: string): (task: Task) => boolean {
  const wanted = words.toLowerCase();
  if (wanted === '') return () => true;
  return (task) =>
    [task.uuid, nameOf(task), configValue(task.config, 'repoFullName')].some((text) =>
      text.toLowerCase().includes(wanted),
    );
}

async function waiting(
  { redis, now }: PageRequest['deps'],
  list: 'waiting' | 'stopped',
  offset: number,
): Promise<Part> {
  const order = list === 'waiting' ? 'waitingSince' : 'stoppedWaitingSince';
  const { found: hooks, total } = await pageOfHooks(redis, order, { offset, limit: PAGE });
  const at = (from: number) => pathOf('/hooks', { list, offset: from });
  return [
    table({
      caption: `${TITLES[list]}, ${total} in all, the one that waits longest first`,
      columns: [...COLUMNS, 'Waits since'],
      rows: hooks.map(({ task, at: since }) => [
        ...cellsOf(task),
        html`${timeOf(since)}, ${distanceOf(since, now())}`,
      ]),
      none: 'There is none.',
    }),
    offsetPager(at, { offset, isMore: offset + PAGE < total }),
  ];
}

function cellsOf(task: Task): Part[] {
  return [
    html`<a href="${hookPath(task.uuid)}">${nameOf(task)}</a>`,
    task.type,
    configValue(task.config, 'repoFullName'),
    stateOf(task),
    task.nb_executions_todo,
    task.nb_executions_total,
    html`<code>${task.uuid}</code>`,
  ];
}

/** Whether it is processed. */
export function stateOf({ stopped }: Pick<Task, 'stopped'>): Part {
  return stopped ? html`<span class="warn">stopped</span>` : 'running';
}
