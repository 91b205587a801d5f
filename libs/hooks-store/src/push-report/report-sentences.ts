import type { StoredRefusal } from '../refusals/refusal-store';
import type { HookReport, PushEvent } from './push-report';

type Execution = Extract<PushEvent, { kind: 'execution' }>;

/** What is not the hook's own and holds its executions up. */
export interface Held {
  /** `[hooks] disable` of the configuration. */
  disabled: boolean;
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

/** What became of an execution. */
export function resultSentence(execution: Execution, report: HookReport): string {
  const { result, workflow_run: run, nb_errors: errors, last_error: error } = execution;
  const { queue } = report;
  switch (result) {
    case 'run':
      return `run ${run} of ${report.project}/${report.workflow}${lastError(error)}`;
    case 'failed':
      return `failed for good after ${errors} error(s): ${error}`;
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

/** Why a delivery was refused. */
export function refusalSentence({ status, error, left_out: leftOut }: StoredRefusal): string {
  const more = leftOut > 0 ? `; ${leftOut} before it are not shown` : '';
  return `refused with ${status}: ${error}${more}`;
}

const ADVICE: Readonly<Partial<Record<string, (uuid: string) => string>>> = {
  unauthentic: (uuid) =>
    `the webhook at Bitbucket has no secret or another one, or [vcs] and [hooks] have different webhookKeys, which engine config check finds. Save the workflow in CDS, or give the webhook the secret that engine vcs webhook ${uuid} prints; engine hooks signature reset ${uuid} takes unsigned deliveries again`,
  wrong_method: () => 'change the method at the sender, or that of the hook in CDS',
  too_slow: () => 'a proxy or the network in front of hooks is slow; Bitbucket sends it again',
  crowded_out: () => 'too much was sent at once; Bitbucket sends it again',
  not_served: () => 'hooks of this type take no deliveries: remove the webhook at the sender',
};

/** What to do about a refused delivery; undefined where its error says it. */
export function refusalAdvice({ reason }: StoredRefusal, uuid: string): string | undefined {
  return ADVICE[reason]?.(uuid);
}

/** What to look at where Redis knows of no push; empty where it does. */
export function nextSteps(reports: readonly HookReport[], branch: string | undefined): string[] {
  if (reports.some(({ events }) => events.length > 0)) return [];
  const repository = reports.find((report) => report.repository !== '')?.repository;
  const pushes = branch === undefined ? 'no push' : `no push to ${branch}`;
  return [
    `hooks received ${pushes} that it still knows of, and refused none in the last seven days.`,
    ...(repository === undefined
      ? []
      : [
          `Is the webhook at Bitbucket, active and with our URL? engine doctor --repository ${repository} looks.`,
        ]),
    "Did Bitbucket send it? See the webhook's request history at Bitbucket; it drops deliveries over 256 KB.",
    'Did a proxy answer in place of hooks? The log of hooks has a line for each refused delivery at level debug.',
  ];
}

/** Without parts of a second. */
export function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}

function until(iso: string): string {
  return iso === '' ? '' : `, again at ${shortTime(iso)}`;
}

function lastError(error = ''): string {
  return error === '' ? '' : ` (${error})`;
}
