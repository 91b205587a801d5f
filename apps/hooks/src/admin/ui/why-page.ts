import { MAX_HOOKS, nextSteps, pushTarget, reportOf, tasksOf } from '@cds/hooks-store';
import type { Task } from '@cds/wire';
import { nameOf } from './describe-hook';
import { html, type Html, type Part } from './html';
import { type Page, search } from './layout';
import { PAGE, type PageRequest } from './page-deps';
import { hookPath, pathOf } from './paths';
import { pushEvents } from './push-events';

/** Events of each hook. */
const SHOWN = 10;

/** Why a push made no run: what became of the pushes that a repository's hooks received. */
export async function whyPage(request: PageRequest): Promise<Page> {
  const { query } = request;
  const [given, branch] = [query.text('target'), query.text('branch')];
  return {
    title: 'Why did this push make no run?',
    section: 'Why no run?',
    body: html`${whySearch(given, branch)}
    ${given !== '' && (await answer(request, { given, branch: branch || undefined }))}`,
  };
}

async function answer(
  request: PageRequest,
  { given, branch }: { given: string; branch: string | undefined },
): Promise<Part> {
  const target = pushTarget(given);
  if (target === undefined)
    return note(
      `${JSON.stringify(given)} is no workspace/repository, ` +
        'no URL of a webhook and no uuid of a hook.',
    );
  const { signal, deps } = request;
  const tasks = await tasksOf(deps.redis, target, signal);
  if (tasks.length === 0) return unknown(target);
  const limit = tasks.length === 1 ? PAGE : SHOWN;
  const reported = [];
  for (const task of tasks)
    reported.push({ task, report: await reportOf(deps.redis, task, { limit, branch, signal }) });
  const next = nextSteps(
    reported.map(({ report }) => report),
    branch,
  );
  const parts: Part[] = [];
  for (const each of reported) parts.push(heading(each.task), await pushEvents(request, each));
  return [
    tasks.length >= MAX_HOOKS &&
      note(`These are ${MAX_HOOKS} of its hooks: look for another by its uuid.`),
    parts,
    next.length > 0 &&
      html`<h2>What to look at</h2>
        <ul>
          ${next.map((step) => html`<li>${step}</li>`)}
        </ul>`,
  ];
}

function heading(task: Task): Part {
  return html`<h2><a href="${hookPath(task.uuid)}">${nameOf(task)}</a></h2>
    ${task.stopped && html`<p class="note bad">The hook is stopped: its deliveries wait.</p>`}`;
}

function unknown(target: string): Part {
  const isRepository = target.includes('/');
  return [
    note(
      isRepository
        ? `hooks knows no hook of ${target}. Has a workflow a repository webhook for it, ` +
            'and is it written like that? Saving the workflow in CDS makes the hook again.'
        : `There is no hook ${target}: deliveries to it are answered 404. ` +
            'A webhook at Bitbucket that still calls it can be removed there.',
    ),
    html`<p><a href="${pathOf('/hooks', { q: target })}">Look for hooks with ${target}</a></p>`,
  ];
}

function note(text: string): Part {
  return html`<p class="note bad">${text}</p>`;
}

/** The form that asks why a push made no run. */
export function whySearch(target = '', branch = ''): Html {
  return search({
    path: '/why',
    label: 'Why no run?',
    button: 'Find out',
    fields: [
      {
        ...{ name: 'target', label: 'Repository or webhook', value: target, required: true },
        hint: 'workspace/repository, the URL of the webhook, or the uuid of the hook',
      },
      { name: 'branch', label: 'Branch or tag', value: branch, hint: 'may be empty' },
    ],
  });
}
