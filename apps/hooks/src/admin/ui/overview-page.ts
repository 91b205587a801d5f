import { createStoredCounts } from '@cds/hooks-store';
import { answeredByRedis } from '@cds/redis';
import type { MonitoringLine } from '@cds/wire';
import { actionLink } from './action-forms';
import { distanceOf } from './format';
import { html, type Html, type Part } from './html';
import { facts, type Page, table } from './layout';
import type { PageDeps, PageRequest } from './page-deps';
import { hookPath, pathOf } from './paths';
import { whySearch } from './why-page';

const UUID = /[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** Where what a line of `/mon/status` is about can be seen. */
const PLACES: readonly (readonly [start: string, path: string])[] = [
  ['Queue', pathOf('/hooks', { list: 'waiting' })],
  ['Oldest Waiting', pathOf('/hooks', { list: 'waiting' })],
  ['Executions Failed', pathOf('/dead-letters')],
  ['Branch Deletions Failed', pathOf('/cleanups', { list: 'failed' })],
  ['Branch Deletions', pathOf('/cleanups')],
  ['Scheduler', pathOf('/schedules')],
  ['Polls', pathOf('/schedules', { list: 'polls' })],
];

/** How the service is, as `/mon/status` has it, and what there is to act on. */
export async function overviewPage({ deps }: PageRequest): Promise<Page> {
  const [{ lines }, counts] = await Promise.all([deps.monitoring.status(), storedCounts(deps)]);
  const wrong = lines.filter(({ status }) => status !== 'OK').sort(byStatus);
  return {
    title: 'Overview',
    section: 'Overview',
    body: html`
      <h2>Find out why a push made no run</h2>
      ${whySearch()}
      <h2>Needs attention</h2>
      ${linesTable(wrong, 'Lines of /mon/status that are not OK', 'Nothing: all lines are OK.')}
      <h2>Work</h2>
      ${counts ?? html`<p class="bad">Redis does not answer: nothing is known of what waits.</p>`}
      <h2>Health</h2>
      ${linesTable(lines, 'All lines of /mon/status', 'There is none.')}
    `,
  };
}

/** Undefined while Redis is away. */
async function storedCounts(deps: PageDeps): Promise<Html | undefined> {
  const read = () =>
    Promise.all([
      createStoredCounts({ redis: deps.redis }).forMetrics(deps.now()),
      deps.queues.maintenance.isOn(),
    ]);
  const answer = await answeredByRedis(read).catch(() => undefined);
  if (!answer) return undefined;
  const [{ waiting, oldestSince, tasksStopped, dead, cleanups, lost }, isMaintained] = answer;
  const since = oldestSince.running;
  return html`${facts([
      [
        'Pending executions',
        html`<a href="${pathOf('/hooks', { list: 'waiting' })}">${waiting}</a>`,
      ],
      ['The oldest waits since', since !== undefined && distanceOf(since, deps.now())],
      ['Stopped tasks', String(tasksStopped)],
      [
        'Dead letters',
        html`<a href="${pathOf('/dead-letters')}">${dead.executions + dead.cleanups}</a>`,
      ],
      [
        'Pending cleanups',
        html`<a href="${pathOf('/cleanups')}">${cleanups.pending}</a>, ${cleanups.due} due,
          ${cleanups.stopped} stopped`,
      ],
      ['Lost deliveries', lost > 0 ? lostDeliveries(lost) : '0'],
    ])}
    <div class="actions">${actionLink(isMaintained ? 'resume' : 'pause', {})}</div>`;
}

function lostDeliveries(lost: number): Html {
  return html`<span class="bad">${lost}</span>: accepted, and gone from Redis before they were
    processed. Send them again at Bitbucket, then run
    <code>engine hooks lost-deliveries acknowledge</code>`;
}

const LEVELS: Readonly<Record<string, readonly [style: string, text: string, order: number]>> = {
  AL: ['bad', 'Alert', 0],
  WARN: ['warn', 'Warning', 1],
  OK: ['good', 'OK', 2],
};

function byStatus(a: MonitoringLine, b: MonitoringLine): number {
  return (LEVELS[a.status]?.[2] ?? 0) - (LEVELS[b.status]?.[2] ?? 0);
}

function linesTable(lines: readonly MonitoringLine[], caption: string, none: string): Html {
  return table({
    ...{ caption, none },
    columns: ['Line', 'State', 'Value'],
    rows: lines.map(({ component, status, value }) => {
      const [style, text] = LEVELS[status] ?? ['', status];
      return [linked(component, value), html`<span class="${style}">${text}</span>`, value];
    }),
  });
}

function linked(component: string, value: string): Part {
  const [uuid] = UUID.exec(`${component} ${value}`) ?? [];
  const place = uuid ? hookPath(uuid) : PLACES.find(([start]) => component.startsWith(start))?.[1];
  return place === undefined ? component : html`<a href="${place}">${component}</a>`;
}
