import type { BitbucketCall } from '@cds/bitbucket';
import { countFromZero, type Metrics } from '@cds/service';

/** The server of all VCS projects in labels: their number has no bound. */
export const PROJECTS_LABEL = 'vcs-projects';

/** From Bitbucket's fastest answers to the limit of one attempt. */
const SECONDS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 15];

const READ_SOURCES = ['bitbucket', 'under_way', 'memory'] as const;
/** The source of an answer. */
export type ReadSource = (typeof READ_SOURCES)[number];

const REFRESH_RESULTS = ['renewed', 'refused', 'failed'] as const;
/** `refused`: the grant is dead; `failed`: no answer of Bitbucket, or it could not be stored. */
export type RefreshResult = (typeof REFRESH_RESULTS)[number];

const SEND_RESULTS = ['sent', 'known', 'failed'] as const;
/** `known`: not sent, since Bitbucket has it, or a newer one. */
export type SendResult = (typeof SEND_RESULTS)[number];

const REPAIR_RESULTS = ['repaired', 'failed', 'dropped'] as const;
/** `dropped`: too many repairs waited. */
export type RepairResult = (typeof REPAIR_RESULTS)[number];

/** Reads how many calls are left. */
type ReadCallsLeft = () => Promise<{ left: number | undefined }>;
/** The calls that are left of a limit, 0 for none. */
type CallsLeft = { left: number | undefined; limit: number };

export type VcsMetrics = ReturnType<typeof createVcsMetrics>;

/** Metrics of `vcs`; none without `metrics`. No label holds a value of a request. */
export function createVcsMetrics(
  metrics: Pick<Metrics, 'counter' | 'gauge' | 'histogram'> | undefined,
) {
  const budgets = new Map<string, ReadCallsLeft>();
  let projectBudgets: () => readonly CallsLeft[] = () => [];
  const busiestProject = () =>
    projectBudgets()
      .filter(({ limit }) => limit > 0)
      .reduce<CallsLeft | undefined>((a, b) => (a && share(a) <= share(b) ? a : b), undefined);
  const calls = metrics?.counter({
    name: 'cds_vcs_bitbucket_requests_total',
    help: 'Requests to Bitbucket, retries included; status is that of the answer, or timeout, unreachable, invalid-answer or abandoned.',
    labels: ['route', 'method', 'status'],
  });
  const duration = metrics?.histogram({
    name: 'cds_vcs_bitbucket_request_duration_seconds',
    help: 'How long one request to Bitbucket took, its answer included.',
    labels: ['route'],
    buckets: SECONDS,
  });
  const retries = metrics?.counter({
    name: 'cds_vcs_bitbucket_retries_total',
    help: 'Requests to Bitbucket that repeated one that had failed.',
    labels: ['route'],
  });
  const limited = metrics?.counter({
    name: 'cds_vcs_bitbucket_rate_limited_total',
    help: 'Requests that Bitbucket refused with 429, since too many were made.',
    labels: ['server'],
  });
  metrics?.gauge({
    name: 'cds_vcs_bitbucket_calls_left',
    help: 'Calls that are left to the OAuth consumer of a server, of those of an hour, over all replicas; of VCS projects to the credential that has the fewest.',
    labels: ['server'],
    async collect() {
      for (const [server, state] of budgets) this.set({ server }, (await state()).left ?? 0);
      const busiest = busiestProject();
      if (busiest) this.set({ server: PROJECTS_LABEL }, busiest.left ?? 0);
    },
  });
  const limits = metrics?.gauge({
    name: 'cds_vcs_bitbucket_calls_limit',
    help: 'Calls that Bitbucket grants the OAuth consumer of a server in an hour; of VCS projects, the credential that has the fewest left. Absent without a limit.',
    labels: ['server'],
    collect() {
      const busiest = busiestProject();
      if (busiest) this.set({ server: PROJECTS_LABEL }, busiest.limit);
    },
  });
  const repeats = metrics?.counter({
    name: 'cds_vcs_repeated_calls_total',
    help: 'Calls of the CDS API that repeated one which had just failed, or was under way, and were answered with it.',
  });
  const refusedCredentials = metrics?.counter({
    name: 'cds_vcs_credentials_refused_total',
    help: 'Times that Bitbucket refused the token of a VCS project.',
  });
  metrics?.gauge({
    name: 'cds_vcs_projects_credentials',
    help: 'Credentials of VCS projects that this process knows, 300 at most.',
    collect() {
      this.set(projectBudgets().length);
    },
  });

  return {
    call(server: string, call: BitbucketCall): void {
      const { route, method, status, failure, isRetry, durationMs } = call;
      calls?.inc({ route, method, status: failure ?? String(status) });
      duration?.observe({ route }, durationMs / 1000);
      if (isRetry) retries?.inc({ route });
      if (status === 429) limited?.inc({ server });
    },
    read: byLabel(metrics, 'source', READ_SOURCES, {
      name: 'cds_vcs_reads_total',
      help: 'Reads that can be shared: those that asked Bitbucket, joined one under way, or were answered from memory.',
    }),
    /** Work waits because few calls are left. */
    heldBack: byLabel(metrics, 'what', ['listing', 'repair'], {
      name: 'cds_vcs_held_back_total',
      help: 'Listings not asked for and repairs of webhooks put off, so that calls are left for runs.',
    }),
    tokenRefresh: byLabel(metrics, 'result', REFRESH_RESULTS, {
      name: 'cds_vcs_token_refreshes_total',
      help: 'Access tokens that Bitbucket was asked to renew.',
    }),
    status: byLabel(metrics, 'result', SEND_RESULTS, {
      name: 'cds_vcs_statuses_total',
      help: 'Build statuses: sent, known to Bitbucket already, or failed.',
    }),
    repair: byLabel(metrics, 'result', REPAIR_RESULTS, {
      name: 'cds_vcs_webhook_repairs_total',
      help: 'Webhooks at Bitbucket that were unsigned, inactive or signed with another key, and what came of their repair.',
    }),
    /** A call of the API was answered from memory, since it repeated one that failed. */
    repeated: () => repeats?.inc(),
    /** Bitbucket refused the token of a VCS project. */
    credentialRefused: () => refusedCredentials?.inc(),
    /** Shows the calls that are left to the credentials of all VCS projects. */
    showProjectBudgets(states: () => readonly CallsLeft[]): void {
      limited?.inc({ server: PROJECTS_LABEL }, 0);
      projectBudgets = states;
    },
    /** Shows the calls that are left to a server; nothing without a limit. */
    showBudget(server: string, limit: number, state: ReadCallsLeft): void {
      limited?.inc({ server }, 0);
      if (limit === 0) return;
      limits?.set({ server }, limit);
      budgets.set(server, state);
    },
  };
}

function share({ left = 0, limit }: CallsLeft): number {
  return left / limit;
}

/**
 * A counter with one label. All its values exist from the start: the first count is an increase.
 */
function byLabel<T extends string>(
  metrics: Pick<Metrics, 'counter'> | undefined,
  label: string,
  values: readonly T[],
  options: { name: string; help: string },
): (value: T) => void {
  const counter = metrics?.counter({ ...options, labels: [label] });
  if (counter) countFromZero(counter, { [label]: values });
  return (value) => counter?.inc({ [label]: value });
}
