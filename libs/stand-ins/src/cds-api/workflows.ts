import type { NodeHook, VcsHook } from '@cds/wire';
import * as z from 'zod';
import { ApiRefusal } from './api-refusal';
import type { Generation } from './generations/generation';
import type { Workflow } from './model';
import { configValue, newHook, type ProjectStore } from './project-store';
import type { ServiceCaller } from './service-caller';
import type { VcsCalls } from './vcs-calls';

export interface NewRepositoryWorkflow {
  project: string;
  name: string;
  /** `owner/repository` */
  repo: string;
  server?: string | undefined;
  /** Which runs the API keeps; all when not given. From 0.50 on. */
  keepsRunsOf?: Workflow['keepsRunsOf'] | undefined;
}

const hooksSchema = z.record(
  z.string(),
  z.looseObject({
    config: z.looseObject({ webHookURL: z.looseObject({ value: z.url() }).optional() }),
  }),
);

export interface NewSchedulerWorkflow {
  project: string;
  name: string;
  /** In CDS's dialect: of six fields the last one is the year, seven begin with the seconds. */
  cron: string;
  timezone?: string | undefined;
  /** JSON as text. */
  payload?: string | undefined;
}

export interface NewQueueWorkflow {
  project: string;
  name: string;
  queue: string;
  /** Of RabbitMQ, without a scheme. */
  broker: string;
  username: string;
  password: string;
}

/** Kinds of hooks that nobody calls: they have no URL. */
const NOT_CALLED: readonly string[] = ['Scheduler', 'RabbitMQ hook', 'Git Repository Poller'];

export type Workflows = ReturnType<typeof createWorkflows>;

/** Creates, renames and deletes workflows, telling `hooks` and `vcs` in the API's own order. */
export function createWorkflows(deps: {
  projects: ProjectStore;
  caller: ServiceCaller;
  vcs: VcsCalls;
  /** Which runs a workflow keeps that does not say so. */
  keepsRunsOf: Workflow['keepsRunsOf'];
  generation: Pick<Generation, 'vcsServer' | 'hookFields' | 'looksAtDefaultBranch'>;
}) {
  const { projects, caller, generation } = deps;
  const { vcsServer } = generation;
  const hookOf = (model: Parameters<typeof newHook>[0], config: NodeHook['config']): NodeHook =>
    newHook(model, config, generation.hookFields());

  /**
   * Gives the hook to `hooks`, which fills in the URL that it listens on, if it is one that is
   * called.
   */
  async function register(hook: NodeHook): Promise<NodeHook> {
    const { body } = await caller.call('hooks', {
      method: 'POST',
      path: '/task/bulk',
      body: { [hook.uuid]: hook },
    });
    const answered = hooksSchema.parse(body)[hook.uuid];
    if (!answered) throw new Error(`hooks did not answer the hook ${hook.uuid}`);
    const { webHookURL } = answered.config;
    if ((webHookURL === undefined) !== NOT_CALLED.includes(hook.hook_model_name))
      throw new Error(`hooks answered the ${hook.hook_model_name} ${hook.uuid} as another kind`);
    if (webHookURL === undefined) return hook;
    return { ...hook, config: { ...hook.config, webHookURL: configValue(webHookURL.value) } };
  }

  function save(project: string, name: string, hook: NodeHook): Workflow {
    const id = Number(hook.config['workflow_id']?.value);
    const workflow: Workflow = {
      id,
      name,
      hook: { ...hook, id, node_id: id },
      keepsRunsOf: 'all',
      runs: [],
      removedRuns: [],
    };
    projects.project(project).workflows.set(name, workflow);
    return workflow;
  }

  function common(project: string, name: string): NodeHook['config'] {
    if (projects.project(project).workflows.has(name))
      throw new ApiRefusal('wrongRequest', `the workflow ${name} exists already`);
    return {
      project: configValue(project),
      workflow: configValue(name),
      workflow_id: configValue(String(projects.nextWorkflowId())),
    };
  }

  return {
    /** A workflow that runs on every push to a repository. */
    async createRepositoryWorkflow(asked: NewRepositoryWorkflow): Promise<Workflow> {
      const { project, name, repo, server = vcsServer, keepsRunsOf = deps.keepsRunsOf } = asked;
      const hook = await register(
        hookOf('RepositoryWebHook', {
          method: configValue('POST', 'string'),
          repoFullName: configValue(repo),
          vcsServer: configValue(server),
          ...common(project, name),
        }),
      );
      const vcs = deps.vcs.ofProject(project, server);
      if (generation.looksAtDefaultBranch)
        await vcs('GET', `/repos/${repo}/branches/?branch=&default=true`);
      const info = await deps.vcs.credentialOf(project, server).webhooks(vcs);
      if (!info.webhooks_supported || info.webhooks_disabled)
        throw new ApiRefusal('wrongRequest', `${server} has webhooks disabled`);
      const created = (await vcs('POST', `/repos/${repo}/hooks`, {
        id: '',
        name: '',
        events: null,
        method: 'POST',
        url: hook.config['webHookURL']?.value ?? '',
        content_type: '',
        body: '',
        disable: false,
        insecure_ssl: false,
        workflow: true,
      } satisfies VcsHook)) as VcsHook;
      const workflow = save(project, name, {
        ...hook,
        config: {
          ...hook.config,
          hookIcon: configValue(info.webhooks_icon, 'string'),
          webHookID: configValue(created.id),
        },
      });
      workflow.application = { server, repo };
      workflow.keepsRunsOf = keepsRunsOf;
      return workflow;
    },

    /** A workflow whose repository is polled. */
    async createPollerWorkflow(
      asked: NewRepositoryWorkflow & { payload?: string | undefined },
    ): Promise<Workflow> {
      const { project, name, repo, server = vcsServer, payload = '{}' } = asked;
      projects.ensureProject(project);
      const hook = await register(
        hookOf('Git Repository Poller', {
          payload: configValue(payload, 'string', true),
          repoFullName: configValue(repo),
          vcsServer: configValue(server),
          ...common(project, name),
        }),
      );
      const workflow = save(project, name, hook);
      workflow.application = { server, repo };
      return workflow;
    },

    /** A workflow that runs on every call of a plain webhook. */
    async createWebhookWorkflow(asked: {
      project: string;
      name: string;
      method?: string | undefined;
    }): Promise<Workflow> {
      const { project, name, method = 'POST' } = asked;
      projects.ensureProject(project);
      const config = { method: configValue(method, 'string', true), ...common(project, name) };
      return save(project, name, await register(hookOf('WebHook', config)));
    },

    /** A workflow that runs by the clock. */
    async createSchedulerWorkflow(asked: NewSchedulerWorkflow): Promise<Workflow> {
      const { project, name, cron, timezone = 'UTC', payload = '{}' } = asked;
      projects.ensureProject(project);
      const config = {
        cron: configValue(cron, 'string', true),
        timezone: configValue(timezone, 'string', true),
        payload: configValue(payload, 'string', true),
        ...common(project, name),
      };
      return save(project, name, await register(hookOf('Scheduler', config)));
    },

    /**
     * A workflow that runs for every message of a queue, and the integration of its project that
     * knows the broker.
     */
    async createQueueWorkflow(asked: NewQueueWorkflow): Promise<Workflow> {
      const { project, name, queue } = asked;
      projects.ensureProject(project).integrations.set(`${name}-broker`, {
        uri: { value: asked.broker, type: 'string' },
        username: { value: asked.username, type: 'string' },
        password: { value: asked.password, type: 'password' },
      });
      const config = {
        integration: configValue(`${name}-broker`, 'integration', true),
        exchange_name: configValue(`${queue}-exchange`, 'string', true),
        exchange_type: configValue('topic', 'string', true),
        queue: configValue(queue, 'string', true),
        binding_key: configValue('#', 'string', true),
        consumer_tag: configValue('cds', 'string', true),
        ...common(project, name),
      };
      return save(project, name, await register(hookOf('RabbitMQ hook', config)));
    },

    /** The hook stays the same, its configuration names the new workflow. */
    async renameWorkflow(asked: {
      project: string;
      name: string;
      newName: string;
    }): Promise<Workflow> {
      const workflow = projects.workflow(asked.project, asked.name);
      const config = { ...workflow.hook.config, workflow: configValue(asked.newName) };
      workflow.hook = await register({ ...workflow.hook, config });
      workflow.name = asked.newName;
      const { workflows } = projects.project(asked.project);
      workflows.delete(asked.name);
      workflows.set(asked.newName, workflow);
      return workflow;
    },

    /** First the webhook at the VCS server goes, then the task. */
    async deleteWorkflow({ project, name }: { project: string; name: string }): Promise<void> {
      const { hook, application } = projects.workflow(project, name);
      const { webHookURL } = hook.config;
      if (application && webHookURL) {
        const url = encodeURIComponent(webHookURL.value);
        // The id goes out as it is, braces and all.
        const id = hook.config['webHookID']?.value ?? '';
        const vcs = deps.vcs.ofProject(project, application.server);
        await vcs('DELETE', `/repos/${application.repo}/hooks?url=${url}&id=${id}`);
      }
      await caller.call('hooks', {
        method: 'DELETE',
        path: '/task/bulk',
        body: { [hook.uuid]: hook },
      });
      projects.project(project).workflows.delete(name);
    },
  };
}
