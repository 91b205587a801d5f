import {
  type HookReport,
  type PushEvent,
  queueSentence,
  readSentStatuses,
  refusalAdvice,
  refusalSentence,
  resultSentence,
  timeOf as momentOf,
} from '@cds/hooks-store';
import type { Task } from '@cds/wire';
import { actionButton } from './action-forms';
import { runLink } from './describe-hook';
import { timeOf } from './format';
import { Html, html, type Part } from './html';
import { table } from './layout';
import type { PageRequest } from './page-deps';
import { executionPath, hookPath } from './paths';

type Execution = Extract<PushEvent, { kind: 'execution' }>;
type Refusal = Extract<PushEvent, { kind: 'refusal' }>;

/** What became of the pushes to a hook, as `engine hooks why` says it. */
export async function pushEvents(
  request: PageRequest,
  { task, report }: { task: Task; report: HookReport },
): Promise<Part> {
  const { deps } = request;
  // Without a vcs in this Redis there are none, which says nothing of Bitbucket. The user of Redis
  // may not be allowed to read them: the rest is shown all the same.
  await readSentStatuses(deps.redis, report).catch((error: unknown) => {
    deps.logger.debug({ error }, 'failed to read the build statuses that vcs sent');
  });
  const held = queueSentence(report, { disabled: deps.config.disable });
  return [
    held !== undefined && html`<p class="note">${held}.</p>`,
    report.cleanups.map(
      ({ uuid, branch, status, due, last_error: error }) =>
        html`<p class="note">
          The runs of ${branch} are to be removed:
          <a href="${hookPath(uuid)}">the cleanup</a> is ${status}, due ${timeOf(due)}. ${error}
        </p>`,
    ),
    table({
      caption: `What ${report.project}/${report.workflow} was told, the newest first`,
      columns: ['When', 'Branches and tags', 'What became of it', 'Names in logs', 'Actions'],
      rows: report.events.map((event) =>
        event.kind === 'refusal'
          ? refusalCells(event, report)
          : executionCells(event, { request, task, report }),
      ),
      none: 'Nothing that is still known: nothing was delivered, or it is no longer kept.',
    }),
  ];
}

function executionCells(
  execution: Execution,
  of: { request: PageRequest; task: Task; report: HookReport },
): Part[] {
  const { deps, formToken } = of.request;
  const { uuid, timestamp, refs, result, workflow_run: run, retries } = execution;
  const isDead = execution.status === 'failed';
  const link = result === 'run' ? runLink(deps.uiUrl(), of.task.config, run) : undefined;
  return [
    html`<a href="${executionPath(execution)}">${timeOf(momentOf(execution))}</a>`,
    refs.join(', ') || execution.event || execution.type,
    html`<span class="${isDead && 'bad'}">${resultSentence(execution, of.report)}</span>
      ${link instanceof Html && html`(${link})`}
      ${retries > 0 && html`<br />It was sent again ${retries} time(s).`} ${statusesOf(execution)}`,
    names({ 'request id': execution.request_id, 'X-Request-UUID': execution.request_uuid }),
    isDead &&
      actionButton(
        'retry',
        { uuid, timestamp },
        { formToken, about: `the push of ${refs.join(', ')}` },
      ),
  ];
}

/** What Bitbucket was sent of its commits, where that is known. */
function statusesOf({ statuses }: Execution): Part {
  return Object.entries(statuses ?? {}).flatMap(([hash, sent]) =>
    sent.map(
      ({ state, description, sent_at: at }) =>
        html`<br />Build status of <code>${hash.slice(0, 12)}</code>: ${state}, ${description}, sent
          ${timeOf(at)}`,
    ),
  );
}

function refusalCells(refusal: Refusal, { uuid }: HookReport): Part[] {
  const advice = refusalAdvice(refusal, uuid);
  return [
    timeOf(refusal.at),
    refusal.event || 'a delivery',
    html`<span class="bad">${refusalSentence(refusal)}</span>, sent by ${refusal.address}
      ${advice !== undefined && html`<br />${advice}.`}`,
    names({ 'request id': refusal.request_id, 'X-Request-UUID': refusal.request_uuid }),
    undefined,
  ];
}

function names(of: Readonly<Record<string, string>>): Part {
  return Object.entries(of).map(
    ([name, value]) => value !== '' && html`${name} <code>${value}</code> `,
  );
}
