import * as z from 'zod';
import { action, nothing, telling, type ControlAction } from '../http/control';
import { faultOrderSchema } from '../http/faults';
import type { CdsApiStandIn } from './stand-in';
import { vcsProjectSchema } from './vcs-projects';

const name = z.string().min(1);
const repo = z.string().regex(/^[^/]+\/[^/]+$/, 'workspace/slug is expected');

/** What people can make this API do: the methods of the stand-in under their own names. */
export function controlActions(api: CdsApiStandIn): Record<string, ControlAction> {
  return {
    state: telling('services, projects, workflows and their runs', nothing, () => api.state()),
    requests: telling('what the services asked', nothing, () => api.requests.entries()),
    calls: telling('what the API asked of the services', nothing, () => api.calls()),
    removals: telling('branches whose runs were removed', nothing, () => api.removals()),
    link: action(
      'link a project to a VCS server, as a user does it in a browser',
      z.strictObject({ project: name, server: name.default(api.vcsServer) }),
      ({ project, server }) => api.linkProject(project, server),
    ),
    beginLink: action(
      'ask vcs for the page where a user agrees; open the url in a browser',
      z.strictObject({ project: name, server: name.default(api.vcsServer) }),
      ({ project, server }) => api.beginLink(project, server),
    ),
    unlink: action(
      'forget the tokens of a project',
      z.strictObject({ project: name, server: name.default(api.vcsServer) }),
      ({ project, server }) => api.unlink(project, server),
    ),
    repositories: telling(
      'the repositories that a linked project can see',
      z.strictObject({ project: name }),
      ({ project }) => api.repositories(project),
    ),
    importVcsProject: action(
      'give a project a VCS server with a credential of its own (from 0.51 on)',
      vcsProjectSchema,
      async (input) => {
        const { name: imported, type, username } = await api.importVcsProject(input);
        return { name: imported, type, username };
      },
    ),
    createWorkflow: action(
      'a workflow that runs on every push to a repository',
      z.strictObject({
        ...{ project: name, name, repo, server: name.optional() },
        keepsRunsOf: z.enum(['all', 'existing branches']).optional(),
      }),
      (input) => api.workflows.createRepositoryWorkflow(input),
    ),
    createPollerWorkflow: action(
      'a workflow whose repository is polled; vcs needs polling = true',
      z.strictObject({
        ...{ project: name, name, repo, server: name.optional(), payload: z.string().optional() },
      }),
      (input) => api.workflows.createPollerWorkflow(input),
    ),
    createWebhookWorkflow: action(
      'a workflow that runs on every call of a plain webhook',
      z.strictObject({ project: name, name, method: name.optional() }),
      (input) => api.workflows.createWebhookWorkflow(input),
    ),
    createSchedulerWorkflow: action(
      'a workflow that runs by the clock',
      z.strictObject({
        project: name,
        name,
        cron: name,
        timezone: z.string().optional(),
        payload: z.string().optional(),
      }),
      (input) => api.workflows.createSchedulerWorkflow(input),
    ),
    createQueueWorkflow: action(
      'a workflow that runs for every message of a queue of RabbitMQ',
      z.strictObject({
        ...{ project: name, name, queue: name, broker: name, username: name, password: name },
      }),
      async (input) => {
        const { id, hook } = await api.workflows.createQueueWorkflow(input);
        return { id, uuid: hook.uuid };
      },
    ),
    renameWorkflow: action(
      'rename a workflow',
      z.strictObject({ project: name, name, newName: name }),
      (input) => api.workflows.renameWorkflow(input),
    ),
    deleteWorkflow: action(
      'delete a workflow with its webhook',
      z.strictObject({ project: name, name }),
      (input) => api.workflows.deleteWorkflow(input),
    ),
    executeOutgoing: action(
      'let a run of a workflow come to an outgoing hook',
      z.strictObject({
        project: name,
        workflow: name,
        number: z.int().min(1),
        model: z.enum(['WebHook', 'Workflow']),
        config: z.record(z.string(), z.string()),
        parameters: z.record(z.string(), z.string()).optional(),
        secrets: z.record(z.string(), z.string()).optional(),
      }),
      (order) => api.outgoing.execute(order),
    ),
    outgoingHooks: telling('outgoing hooks, and what the API was told of them', nothing, () =>
      api.outgoing.all(),
    ),
    tasks: telling('the tasks of hooks', nothing, () => api.tasks()),
    executions: telling('the executions of a task', z.strictObject({ uuid: name }), ({ uuid }) =>
      api.callHooks('GET', `/task/${uuid}/execution`),
    ),
    bringForward: action(
      'make a pending cleanup due now',
      z.strictObject({ uuid: z.string().regex(/^[0-9a-f]{64}$/, 'tasks lists the uuids') }),
      ({ uuid }) => api.callHooks('POST', `/admin/task/${uuid}/due`),
    ),
    callHooks: action(
      'call a route of hooks as the API does',
      z.strictObject({ method: name, path: name, body: z.unknown().optional() }),
      ({ method, path, body }) => api.callHooks(method, path, body),
    ),
    callVcs: action(
      'call a route of vcs with the tokens of a project; the path is what follows /vcs/{server}',
      z.strictObject({
        project: name,
        server: name.default(api.vcsServer),
        method: name,
        path: z.string(),
        body: z.unknown().optional(),
      }),
      ({ project, server, method, path, body }) => api.callVcs(project, server, method, path, body),
    ),
    setBuild: action(
      'how builds end, and how long they take',
      z.strictObject({
        result: z.enum(['Success', 'Fail']).optional(),
        durationMs: z.int().min(0).optional(),
      }),
      (input) => api.setBuild(input),
    ),
    applyRetentionRule: action(
      'remove runs of branches that are gone, as the API does from 0.50 on',
      nothing,
      async () => ({ removals: await api.applyRetentionRule() }),
    ),
    purge: action('delete what is marked as deleted', nothing, () => api.purge()),
    violations: telling('what services did that they should not', nothing, () => api.violations()),
    createConsumer: action(
      'a consumer, as cdsctl consumer new makes it; the answer has its token',
      z.strictObject({
        name,
        scopes: z.array(z.enum(['Service', 'Project', 'Run', 'Hooks'])).min(1),
        isAdmin: z.boolean().optional(),
        isOfGroup: z.boolean().optional(),
      }),
      (input) => api.sessions.createConsumer(input),
    ),
    passTime: action(
      'let so many seconds pass for every session',
      z.strictObject({ seconds: z.number().positive() }),
      ({ seconds }) => api.sessions.passTime(seconds),
    ),
    setSessionSeconds: action(
      'how long sessions are from now on',
      z.strictObject({ seconds: z.number().positive() }),
      ({ seconds }) => api.sessions.setSeconds(seconds),
    ),
    rotateKey: action(
      'the API is started with another signing key; tokens of keys before it stay good unless they are forgotten',
      z.strictObject({ forgetOld: z.boolean().default(false) }),
      (input) => api.sessions.rotateKey(input),
    ),
    forgetServices: action('every service becomes unknown', nothing, () => api.forgetServices()),
    restart: action('the API is restarted: it makes its clients of vcs anew', nothing, () =>
      api.restart(),
    ),
    setMaintenance: action(
      'registrations are answered 503',
      z.strictObject({ on: z.boolean() }),
      ({ on }) => api.setMaintenance(on),
    ),
    fail: action('a fault for the next requests', faultOrderSchema, (order) =>
      api.faults.order(order),
    ),
    recover: action('takes back the faults that are still to come', nothing, () =>
      api.faults.clear(),
    ),
  };
}
