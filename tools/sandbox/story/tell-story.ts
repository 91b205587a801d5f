import { waitFor } from '@cds/testing';
import type { Task, TaskExecution } from '@cds/wire';
import type { BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';
import { connectProject } from './connect-project';
import { createListener, type Narrator } from './narrator';

export interface StoryDeps {
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
  narrator: Narrator;
  /** How long the services may take to register. */
  patienceMs: number;
  /** Rejects when the services are gone: nothing that is waited for will come then. */
  servicesEnded: Promise<never>;
  /** Aborted by Ctrl-C: what fails from then on is not worth a word. */
  interrupted: AbortSignal;
}

export const PROJECT = 'SHOP';
export const WORKFLOW = 'build-and-test';
export const REPO = 'acme/web-shop';
/** Without a slash: a CDS before 0.52 cannot remove the runs of a branch that has one. */
export const BRANCH = 'feature-login';

/**
 * Plays the main job between the two services and the stand-ins, and prints who said what to whom,
 * each chapter with the proof seen on the stand-ins' side.
 *
 * @throws Error at the first thing that does not come about.
 */
export async function tellStory(deps: StoryDeps): Promise<void> {
  const { bitbucket, api, narrator } = deps;
  const listen = createListener(bitbucket, api);

  async function chapter(title: string, play: () => Promise<string[]>): Promise<void> {
    deps.interrupted.throwIfAborted();
    narrator.chapter(title);
    try {
      const proofs = await Promise.race([play(), deps.servicesEnded]);
      // What came about all the same is not worth a word either.
      deps.interrupted.throwIfAborted();
      listen().forEach(narrator.line);
      proofs.forEach(narrator.proof);
    } catch (error) {
      if (deps.interrupted.aborted) throw error;
      listen().forEach(narrator.line);
      narrator.failure(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }
  const eventually = <T>(what: string, probe: () => T | Promise<T>, timeoutMs?: number) =>
    waitFor(probe, { what, ...(timeoutMs !== undefined && { timeoutMs }) });

  await chapter('The services register with the CDS API', async () => {
    const types = ['vcs', 'hooks'] as const;
    await eventually(
      'vcs and hooks to register',
      () => types.every((type) => api.services().some((one) => one.type === type)),
      deps.patienceMs,
    );
    return api
      .services()
      .map(({ name, type, url }) => `${type} is registered as ${name} at ${url}`);
  });

  await chapter(`Project ${PROJECT} is connected to Bitbucket Cloud`, async () => {
    const proof = await connectProject(deps, PROJECT);
    // Nobody sat at the browser for the story; whoever links from here on is asked.
    bitbucket.setConsent('ask');
    return [proof];
  });

  await chapter('The repositories of all workspaces are listed', async () => {
    const repositories = await api.repositories(PROJECT);
    const names = repositories.map(({ fullname }) => fullname);
    expectThat(names.includes(REPO), `${REPO} is missing in: ${names.join(', ')}`);
    return [`${names.length} repositories: ${names.join(', ')}`];
  });

  await chapter(`Workflow ${WORKFLOW} gets a webhook on ${REPO}`, async () => {
    await api.workflows.createRepositoryWorkflow({ project: PROJECT, name: WORKFLOW, repo: REPO });
    const [webhook] = [...bitbucket.repository(REPO).webhooks.values()];
    expectThat(webhook, `Bitbucket has no webhook on ${REPO}`);
    return [
      `Bitbucket has webhook ${webhook.uuid} for ${webhook.events.join(', ')}: ${webhook.url}`,
    ];
  });

  const pushed = await bitbucketPush(deps, chapter);

  await chapter('The CDS API is asked for a run', async () => {
    const run = await eventually('a run', () => api.runs(PROJECT, WORKFLOW)[0]);
    const { payload } = run.event;
    expectThat(
      payload['git.branch'] === BRANCH,
      `the run is of ${payload['git.branch'] ?? 'no'} branch`,
    );
    expectThat(payload['git.hash'] === pushed, `the run is of commit ${payload['git.hash'] ?? ''}`);
    return [
      `run #${run.number}: git.branch ${BRANCH}, git.hash ${pushed.slice(0, 12)}…, git.author ${payload['git.author'] ?? ''}`,
    ];
  });

  await chapter('The run is built, and Bitbucket shows it on the commit', async () => {
    const run = await eventually('the build to end', () => {
      const [first] = api.runs(PROJECT, WORKFLOW);
      return first && !['Pending', 'Building'].includes(first.status) ? first : undefined;
    });
    expectThat(
      run.status === 'Success',
      `the build ended as ${run.status}: ${run.problems.join('; ')}`,
    );
    const status = await eventually('build status SUCCESSFUL', () =>
      bitbucket.statuses(REPO, pushed).find(({ state }) => state === 'SUCCESSFUL'),
    );
    expectThat(status.name === api.statusName(run), `the status is called ${status.name}`);
    // What the API tells from 0.54 on names no branch.
    const ref = api.cds === '0.57' ? 'no ref' : BRANCH;
    expectThat(
      (status.refname ?? 'no ref') === ref,
      `the status is of ${status.refname ?? 'no ref'}`,
    );
    return [
      `${status.name} is ${status.state} on ${pushed.slice(0, 12)} (${status.refname ?? 'no ref'}), after ${status.writes} writes: ${status.url}`,
    ];
  });

  await chapter('A build fails, and its pull request says so', async () => {
    const { id } = await bitbucket.openPullRequest({
      ...{ repo: REPO, title: 'Let people log in', sourceBranch: BRANCH },
    });
    api.setBuild({ result: 'Fail' });
    await bitbucket.push({ repo: REPO, branch: BRANCH, message: 'Break it\n' });
    const [comment] = await eventually('a comment on the pull request', () => {
      const opened = bitbucket.repository(REPO).pullRequests.find((one) => one.id === id);
      return opened && opened.comments.length > 0 ? opened.comments : undefined;
    });
    const run = await eventually('the run to fail', () =>
      api.runs(PROJECT, WORKFLOW).find(({ status }) => status === 'Fail'),
    );
    api.setBuild({ result: 'Success' });
    expectThat(comment, 'the pull request has no comment');
    return [`run #${run.number} failed; pull request ${id} says: ${comment.raw}`];
  });

  await (api.branchRemoval === 'service' ? tellOfCleanup : tellOfRule)(deps, chapter, eventually);
}

type Chapter = (title: string, play: () => Promise<string[]>) => Promise<void>;
type Eventually = <T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs?: number,
) => Promise<NonNullable<T>>;

/** Up to 0.43 `hooks` removes the runs of a branch that is gone. */
async function tellOfCleanup(
  { api, bitbucket }: StoryDeps,
  chapter: Chapter,
  eventually: Eventually,
): Promise<void> {
  await chapter(`Branch ${BRANCH} is deleted: its cleanup is scheduled`, async () => {
    await (
      await bitbucket.deleteBranch({ repo: REPO, branch: BRANCH })
    ).delivered;
    const due = await eventually('a BranchDeletion among the tasks', () => pendingCleanup(api));
    return [`hooks will clean up at ${due.date ?? 'no date'}`];
  });

  await chapter('The cleanup is brought forward, and the runs are removed', async () => {
    const { uuid } = await eventually('the cleanup', () => pendingCleanup(api));
    await api.callHooks('POST', `/admin/task/${uuid}/due`);
    const removal = await eventually('the runs to be removed', () =>
      api.removals().find(({ branch }) => branch === BRANCH),
    );
    return removedAll(api, removal.runs);
  });
}

/** From 0.50 on the API does it, by the rule of the workflow, and asks `vcs` for the branches. */
async function tellOfRule(
  { api, bitbucket }: StoryDeps,
  chapter: Chapter,
  eventually: Eventually,
): Promise<void> {
  await chapter(`Branch ${BRANCH} is deleted: hooks leaves its runs to the API`, async () => {
    await (
      await bitbucket.deleteBranch({ repo: REPO, branch: BRANCH })
    ).delivered;
    await eventually('the delivery to be processed', async () =>
      (await executions(api)).every(({ status }) => status === 'DONE'),
    );
    expectThat(!(await pendingCleanup(api)), 'hooks has scheduled a cleanup');
    return ['hooks has scheduled no cleanup'];
  });

  await chapter('The API keeps runs of existing branches alone, and removes them', async () => {
    const removals = await api.applyRetentionRule();
    const ofBranch = removals.find(({ branch }) => branch === BRANCH);
    return removedAll(api, ofBranch?.runs ?? 0);
  });
}

/** Of the hook of the workflow. */
async function executions(api: CdsApiStandIn): Promise<TaskExecution[]> {
  const project = api.projects().find(({ key }) => key === PROJECT);
  const uuid = project?.workflows.get(WORKFLOW)?.hook.uuid ?? '';
  const task = (await api.callHooks('GET', `/task/${uuid}/execution`)) as Task;
  return task.executions ?? [];
}

function removedAll(api: CdsApiStandIn, removed: number): string[] {
  expectThat(removed === 2, `${removed} runs were removed, not 2`);
  const left = api.runs(PROJECT, WORKFLOW).length;
  expectThat(left === 0, `${left} runs are left`);
  return [`2 runs of ${BRANCH} were removed, none is left`];
}

async function bitbucketPush({ bitbucket }: StoryDeps, chapter: Chapter): Promise<string> {
  let hash = '';
  await chapter(`Jane pushes two commits to ${BRANCH}`, async () => {
    const message = 'Let people log in\n';
    const pushed = await bitbucket.push({ repo: REPO, branch: BRANCH, commits: 2, message });
    hash = pushed.hash;
    const [delivery] = await pushed.delivered;
    const attempt = delivery?.attempts.at(-1);
    expectThat(
      attempt?.outcome === 200,
      `the delivery ended with ${String(attempt?.outcome)}: ${attempt?.answer ?? ''}`,
    );
    return [`hooks took the delivery in ${attempt.durationMs} ms and answered ${attempt.answer}`];
  });
  return hash;
}

/** The branch's cleanup and its date, once it is listed among the tasks. */
async function pendingCleanup(
  api: CdsApiStandIn,
): Promise<{ uuid: string; date: string | undefined } | undefined> {
  const task = (await api.tasks()).find(
    ({ type, config }) => type === 'BranchDeletion' && config?.['branch']?.value === BRANCH,
  );
  if (!task) return undefined;
  const executions =
    task.executions ??
    ((await api.callHooks('GET', `/task/${task.uuid}/execution`)) as Task).executions ??
    [];
  const dated = executions.find((one: TaskExecution) => one.scheduled_task !== undefined);
  return { uuid: task.uuid, date: dated?.scheduled_task?.date_scheduled_execution };
}

function expectThat(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}
