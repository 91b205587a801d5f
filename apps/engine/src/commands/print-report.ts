import {
  type Held,
  type HookReport,
  type PushEvent,
  queueSentence,
  refusalAdvice,
  refusalSentence,
  resultSentence,
  shortTime,
  type StoredRefusal,
  timeOf,
} from '@cds/hooks-store';
import { onOneLine } from '@cds/wire';

type Execution = Extract<PushEvent, { kind: 'execution' }>;

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

function pastLines(execution: Execution, report: HookReport): string[] {
  const { timestamp, refs, request_id: request, by, result } = execution;
  const again =
    result === 'failed'
      ? `. Send it again: engine hooks dead-letters retry ${report.uuid} ${timestamp}`
      : '';
  const ids = [
    `execution ${timestamp}`,
    ...(request === '' ? [] : [`request ${request}`]),
    ...(by === 'poll' ? ['found by a poll'] : []),
    ...(execution.retries > 0 ? [`sent again ${execution.retries} time(s)`] : []),
  ];
  return [
    `  ${timeText(execution)}  ${refs.join(', ') || execution.event || execution.type}  ` +
      `${resultSentence(execution, report)}${again}`,
    `    ${ids.join(', ')}`,
    ...statusLines(execution),
  ];
}

function statusLines({ statuses, result }: Execution): string[] {
  if (statuses === null || result !== 'run') return [];
  return Object.entries(statuses).flatMap(([hash, sent]) => {
    const commit = hash.slice(0, 12);
    if (sent.length === 0) return [`    no build status was sent of ${commit}`];
    return sent.map(
      ({ key, state, description, sent_at: at, workflow_run: run }) =>
        `    build status of ${commit}: ${state} (${key}${run > 0 ? `, run ${run}` : ''}), ` +
        `${description}, sent ${shortTime(at)}`,
    );
  });
}

function refusalLines(refusal: StoredRefusal, uuid: string): string[] {
  const { at, event, address } = refusal;
  const advice = refusalAdvice(refusal, uuid);
  return [
    `  ${shortTime(new Date(at).toISOString())}  ${event || 'a delivery'}  ${refusalSentence(refusal)}`,
    `    request ${refusal.request_id}, sent by ` +
      `${address}${refusal.request_uuid === '' ? '' : `, X-Request-UUID ${refusal.request_uuid}`}`,
    ...(advice === undefined ? [] : [`    ${advice}.`]),
  ];
}

function timeText(event: PushEvent): string {
  return shortTime(new Date(timeOf(event)).toISOString());
}
