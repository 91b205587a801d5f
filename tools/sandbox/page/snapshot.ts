import type { Task } from '@cds/wire';
import type { BitbucketStandIn, Delivery, Repository } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn, Workflow } from '@cds/stand-ins/cds-api';
import type { Seen } from './look-around';
import { guide } from './guide';
import { withoutSecrets } from './without-secrets';

const COMMITS = 10;
const DELIVERIES = 12;
const RUNS = 8;
const REMOVALS = 6;
const PULL_REQUESTS = 8;
const REFS = 40;

export type Snapshot = ReturnType<typeof takeSnapshot>;

/**
 * What there is on both sides, as the page shows it: bounded, and without tokens, secrets and
 * signatures.
 */
export function takeSnapshot(deps: {
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
  seen: Seen;
}) {
  const { bitbucket, api, seen } = deps;
  const deliveries = bitbucket.deliveries();
  return {
    services: api.services().map(({ name, type, url }) => ({
      name,
      type,
      url,
      up: seen.up.has(url),
    })),
    guide: guide(bitbucket, api, seen.tasks),
    bitbucket: {
      url: bitbucket.url,
      requestsPerHour: bitbucket.rateLimit().requestsPerHour,
      repositories: bitbucket
        .repositories()
        .filter(({ workspace }) => workspace.member)
        .map((one) => repositoryOf(one, deliveries)),
      forgeries: bitbucket
        .forgeries()
        .slice(-REMOVALS)
        .toReversed()
        .map(({ at, repository, signature, status }) => ({ at, repository, signature, status })),
    },
    cds: {
      url: api.url,
      version: api.cds,
      connectsBy: api.connectsBy,
      branchRemoval: api.branchRemoval,
      hasSessions: api.hasSessions,
      away: api.isAway(),
      build: api.build(),
      projects: api.projects().map((project) => {
        const link = [...project.links.values()].at(0);
        return {
          key: project.key,
          linkedTo: link?.server ?? [...project.vcsProjects.keys()].at(0) ?? '',
          revoked: link ? bitbucket.oauth.verdict(link.accessToken).kind === 'unknown' : false,
          workflows: [...project.workflows.values()].map(workflowOf),
        };
      }),
      cleanups: seen.tasks.filter(({ type }) => type === 'BranchDeletion').map(cleanupOf),
      removals: api.removals().slice(-REMOVALS).toReversed(),
    },
  };
}

function repositoryOf(repository: Repository, deliveries: Delivery[]) {
  const { branches, tags, commits, statuses, mainBranch } = repository;
  const refsOf = (hash: string): string[] => [
    ...[...branches].filter(([, head]) => head === hash).map(([name]) => name),
    ...[...tags.values()].filter(({ target }) => target === hash).map(({ name }) => `tag ${name}`),
  ];
  return {
    repo: repository.fullName,
    mainBranch,
    branches: [...branches].slice(-REFS).map(([name, hash]) => ({ name, hash })),
    tags: [...tags.values()].slice(-REFS).map(({ name, target }) => ({ name, hash: target })),
    commits: [...commits.values()]
      .toSorted((a, b) => b.sequence - a.sequence)
      .slice(0, COMMITS)
      .map(({ hash, message, date }) => ({
        hash,
        message: (message.split('\n')[0] ?? '').slice(0, 120),
        date,
        refs: refsOf(hash).slice(0, 6),
        statuses: [...(statuses.get(hash)?.values() ?? [])]
          .slice(-4)
          .map(({ key, name, state }) => ({ key, name, state })),
      })),
    pullRequests: repository.pullRequests
      .slice(-PULL_REQUESTS)
      .toReversed()
      .map(({ id, title, state, source, destination, comments }) => ({
        id,
        title,
        state,
        source: source.branch,
        destination: destination.branch,
        comments: comments.length,
      })),
    webhooks: [...repository.webhooks.values()].map(({ uuid, url, active, events, secret }) => ({
      uuid,
      url,
      active,
      events,
      signed: Boolean(secret),
    })),
    deliveries: deliveries
      .filter((delivery) => delivery.repository === repository.fullName)
      .slice(-DELIVERIES)
      .toReversed()
      .map(deliveryOf),
  };
}

function deliveryOf({ requestUuid, event, resent, dropped, attempts }: Delivery) {
  const last = attempts.at(-1);
  return {
    requestUuid,
    event,
    resent,
    dropped,
    attempts: attempts.length,
    at: attempts[0]?.at ?? '',
    outcome: last?.outcome ?? '',
    ms: last?.durationMs ?? 0,
    answer: withoutSecrets(last?.answer ?? '').slice(0, 160),
  };
}

function workflowOf({ name, hook, application, runs }: Workflow) {
  return {
    name,
    repo: application?.repo ?? '',
    hook: hook.uuid,
    runCount: runs.length,
    runs: runs
      .slice(-RUNS)
      .toReversed()
      .map(({ number, status, event, askedAt, problems }) => ({
        number,
        status,
        ref: event.payload['git.branch'] ?? event.payload['git.tag'] ?? '',
        hash: event.payload['git.hash'] ?? '',
        askedAt,
        problem: withoutSecrets(problems.at(-1) ?? '').slice(0, 240),
      })),
  };
}

function cleanupOf({ uuid, config, stopped, executions }: Task) {
  const execution = executions?.[0];
  return {
    uuid,
    project: config?.['project']?.value ?? '',
    workflow: config?.['workflow']?.value ?? '',
    branch: config?.['branch']?.value ?? '',
    stopped,
    failed: execution?.status === 'DONE',
    due: execution?.scheduled_task?.date_scheduled_execution ?? '',
    problem: withoutSecrets(execution?.last_error ?? '').slice(0, 240),
  };
}
