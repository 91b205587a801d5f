import type { StoredRefusal } from '@cds/hooks-store';
import { onOneLine } from '@cds/wire';
import { type HookReport, type PushEvent, timeOf } from './push-report';

type Execution = Extract<PushEvent, { kind: 'execution' }>;

/** What is not the hook's own and holds its executions up. */
export interface Held {
  /** `[hooks] disable` of the configuration. */
  disabled: boolean;
}

/** Lines for people: the hook, how its queue stands, and its pushes, the newest first. */
export function formatReport(report: HookReport, held: Held): string {
  const { uuid, type, project, workflow, repository, stopped, events, cleanups } = report;
  const of = repository === '' ? '' : ` for ${repository}`;
  const lines = [`${uuid}  ${type} of ${project}/${workflow}${of}${stopped ? ', stopped' : ''}`];
  const why = queueSentence(report, held);
  if (why !== undefined) lines.push(`  ${why}`);
  for (const { branch, status, due, last_error: error } of cleanups)
    lines.push(
      `  the runs of ${branch} are to be removed: ${status}, due ${shortTime(due)} ${error}`,
    );
  for (const event of events)
    lines.push(
      ...(event.kind === 'refusal' ? refusalLines(event, uuid) : pastLines(event, report)),
    );
  return lines.map((line) => `${/^ */.exec(line)?.[0] ?? ''}${onOneLine(line).trim()}\n`).join('');
}

/** Why pending executions wait; undefined without any. */
export function queueSentence(
  { queue, stopped }: HookReport,
  { disabled }: Held,
): string | undefined {
  const { waiting, waiting_since: since, head } = queue;
  if (waiting === 0) return undefined;
  const counted = `${waiting} pending since ${shortTime(since)}`;
  const because = (reason: string) => `${counted}: ${reason}`;
  if (stopped) return because('the hook is stopped, start it in CDS');
  if (disabled) return because('[hooks] disable is set');
  if (queue.maintenance) return because('CDS is under maintenance, which pauses all hooks');
  if (queue.api_outage)
    return because(
      `the API gives no answer${until(queue.resumes_at)}${lastError(head?.last_error)}`,
    );
  if (head && head.retry_at !== '')
    return because(
      `the first, ${head.timestamp}, is tried again at ${shortTime(head.retry_at)}; the others wait behind it${lastError(head.last_error)}`,
    );
  if (queue.job === 'active') return because('the first is being processed now');
  if (queue.job === 'delayed') return because(`they go on at ${shortTime(queue.resumes_at)}`);
  if (queue.job === 'queued') return because('they wait for a free worker: does hooks run?');
  return because('no job is queued for them: a running hooks finds them within a minute');
}

function pastLines(execution: Execution, report: HookReport): string[] {
  const { timestamp, refs, request_id: request, by } = execution;
  const ids = [
    `execution ${timestamp}`,
    ...(request === '' ? [] : [`request ${request}`]),
    ...(by === 'poll' ? ['found by a poll'] : []),
    ...(execution.retries > 0 ? [`sent again ${execution.retries} time(s)`] : []),
  ];
  return [
    `  ${timeText(execution)}  ${refs.join(', ') || execution.event || execution.type}  ${resultSentence(execution, report)}`,
    `    ${ids.join(', ')}`,
    ...statusLines(execution),
  ];
}

function resultSentence(execution: Execution, report: HookReport): string {
  const { result, workflow_run: run, nb_errors: errors, last_error: error } = execution;
  const { uuid, queue } = report;
  switch (result) {
    case 'run':
      return `run ${run} of ${report.project}/${report.workflow}${lastError(error)}`;
    case 'failed':
      return `failed for good after ${errors} error(s): ${error}. Send it again: engine hooks dead-letters retry ${uuid} ${execution.timestamp}`;
    case 'retrying':
      return `tried ${errors} time(s)${until(execution.retry_at)}${lastError(error)}`;
    case 'waiting':
      return queue.head && queue.head.timestamp !== execution.timestamp
        ? `waits behind execution ${queue.head.timestamp}`
        : 'waits';
    case 'none':
      return `done, no run was to be started${lastError(error)}`;
    default:
      return error;
  }
}

function statusLines({ statuses, result }: Execution): string[] {
  if (statuses === null || result !== 'run') return [];
  return Object.entries(statuses).flatMap(([hash, sent]) => {
    const commit = hash.slice(0, 12);
    if (sent.length === 0) return [`    no build status was sent of ${commit}`];
    return sent.map(
      ({ key, state, description, sent_at: at, workflow_run: run }) =>
        `    build status of ${commit}: ${state} (${key}${run > 0 ? `, run ${run}` : ''}), ${description}, sent ${shortTime(at)}`,
    );
  });
}

const ADVICE: Readonly<Partial<Record<string, (uuid: string) => string>>> = {
  unauthentic: (uuid) =>
    `the webhook at Bitbucket has no secret or another one. Save the workflow in CDS, or give the webhook the secret that engine vcs webhook ${uuid} prints; engine hooks signature reset ${uuid} takes unsigned deliveries again`,
  wrong_method: () => 'change the method at the sender, or that of the hook in CDS',
  too_slow: () => 'a proxy or the network in front of hooks is slow; Bitbucket sends it again',
  crowded_out: () => 'too much was sent at once; Bitbucket sends it again',
  not_served: () => 'hooks of this type take no deliveries: remove the webhook at the sender',
};

function refusalLines(refusal: StoredRefusal, uuid: string): string[] {
  const { at, event, reason, status, error, address, left_out: leftOut } = refusal;
  const advice = ADVICE[reason]?.(uuid);
  const more = leftOut > 0 ? `; ${leftOut} before it are not shown` : '';
  return [
    `  ${shortTime(new Date(at).toISOString())}  ${event || 'a delivery'}  refused with ${status}: ${error}${more}`,
    `    request ${refusal.request_id}, sent by ${address}${refusal.request_uuid === '' ? '' : `, X-Request-UUID ${refusal.request_uuid}`}`,
    ...(advice === undefined ? [] : [`    ${advice}.`]),
  ];
}

function timeText(event: PushEvent): string {
  return shortTime(new Date(timeOf(event)).toISOString());
}

function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}

function until(iso: string): string {
  return iso === '' ? '' : `, again at ${shortTime(iso)}`;
}

function lastError(error = ''): string {
  return error === '' ? '' : ` (${error})`;
}
