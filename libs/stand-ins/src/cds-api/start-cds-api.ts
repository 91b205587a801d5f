import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import express from 'express';
import type { Task, VcsRepo } from '@cds/wire';
import { createControlRouter, createControls } from '../http/control';
import { createFaultSwitch } from '../http/faults';
import { listenOn } from '../http/listener';
import { createRequestLog } from '../http/request-log';
import { answerError, errorBody } from './api-refusal';
import { build } from './builder';
import { controlActions } from './control-actions';
import type { BranchRemoval, WorkflowRun } from './model';
import { CALLBACK_PATH, createOAuthLink } from './oauth-link';
import { createOutgoingHooks } from './outgoing-hooks';
import { createProjectStore } from './project-store';
import { createServiceCaller } from './service-caller';
import { createServiceRegistry } from './service-registry';
import { createServiceRoutes } from './service-routes';
import { createVcsCalls } from './vcs-calls';
import { createVcsEvents } from './vcs-events';
import { createWorkflows } from './workflows';

import type { CdsApiOptions, CdsApiStandIn } from './stand-in';

const SERVER = 'bitbucketcloud';

/** Starts an API of CDS 0.41 on this machine. */
export async function startCdsApi(options: CdsApiOptions = {}): Promise<CdsApiStandIn> {
  const host = options.host ?? '127.0.0.1';
  let sharedInfraToken = options.sharedInfraToken ?? 'sandbox-shared-infra-token';
  let version = options.version ?? '0.41.0';
  const registry = createServiceRegistry({
    token: () => sharedInfraToken,
    version: () => version,
    newHash: () => options.hash ?? randomUUID(),
    forgottenAfterMs: options.forgottenAfterMs,
  });
  const projects = createProjectStore();
  const caller = createServiceCaller(registry);
  const vcs = createVcsCalls({ projects, caller, registry });
  const workflows = createWorkflows({ projects, caller, vcs });
  const outgoing = createOutgoingHooks({ projects, caller });
  const link = createOAuthLink({ projects, caller, uiUrl: options.uiUrl });
  const faults = createFaultSwitch();
  const requests = createRequestLog();
  const removals: BranchRemoval[] = [];
  const builds = new Set<Promise<void>>();
  const stopped = new AbortController();
  // Any number of builds wait for their ends.
  setMaxListeners(0, stopped.signal);
  let buildResult: 'Success' | 'Fail' = 'Success';
  let buildDurationMs = options.buildDurationMs ?? 200;
  let inMaintenance = false;
  let away = false;

  function onRun(run: WorkflowRun): void {
    const { application } = projects.workflow(run.project, run.workflow);
    if (!application || stopped.signal.aborted) return;
    const building = build(
      {
        vcs,
        durationMs: () => buildDurationMs,
        result: () => buildResult,
        signal: stopped.signal,
      },
      run,
      application,
    ).catch((error: unknown) => {
      run.status = 'Fail';
      run.problems.push(String(error));
    });
    builds.add(building);
    void building.finally(() => builds.delete(building));
  }

  const app = express().disable('x-powered-by').disable('etag');
  const control = express.Router();
  app.use('/_control', control);
  app.use(requests.middleware, faults.middleware);
  app.use(link.router);
  app.use(
    createServiceRoutes({
      registry,
      projects,
      caller,
      version: () => version,
      inMaintenance: () => inMaintenance,
      matchesEscapedSlash: options.matchesEscapedSlash ?? false,
      onRun,
      onRemoval: (removal) => removals.push(removal),
      outgoing: outgoing.router,
      vcsEvents: createVcsEvents({
        projects,
        vcs,
        asksForDeletions: options.asksForDeletions ?? false,
      }),
    }),
  );
  app.use(answerError);

  let listener = await listenOn(app, { host, port: options.port ?? 0 });
  const url = options.publicUrl ?? listener.url;

  const standIn: CdsApiStandIn = {
    url,
    port: listener.port,
    callbackUrl: options.callbackUrl ?? `${url}${CALLBACK_PATH}`,
    get sharedInfraToken() {
      return sharedInfraToken;
    },
    faults,
    requests,
    get controls() {
      return controls;
    },
    workflows,
    outgoing,
    services: registry.all,
    linkProject: (project, server = SERVER) => link.link(project, server),
    beginLink: (project, server = SERVER) => link.begin(project, server),
    unlink(project, server = SERVER) {
      const { links, workflows: all } = projects.project(project);
      const user = [...all.values()].find(({ application }) => application?.server === server);
      if (user)
        throw new Error(`${project} cannot be unlinked: its workflow ${user.name} uses ${server}`);
      links.delete(server);
    },
    projects: projects.all,
    vcsLink(project, server = SERVER) {
      const found = projects.project(project).links.get(server);
      if (!found) throw new Error(`${project} is not linked to ${server}`);
      return found;
    },
    repositories: async (project, server = SERVER) =>
      (await vcs.ofProject(project, server)('GET', '/repos')) as VcsRepo[],
    callVcs: (project, server, method, path, body) =>
      vcs.ofProject(project, server)(method, path, body),
    callHooks: async (method, path, body) =>
      (await caller.call('hooks', { method, path, ...(body === undefined ? {} : { body }) })).body,
    tasks: async (look) =>
      (await caller.call('hooks', { method: 'GET', path: '/task', ...look })).body as Task[],
    runs: (project, workflow) => [...projects.workflow(project, workflow).runs],
    removals: () => [...removals],
    calls: caller.calls,
    onCall: caller.onCall,
    build: () => ({ result: buildResult, durationMs: buildDurationMs }),
    isAway: () => away,
    setBuild({ result, durationMs }) {
      buildResult = result ?? buildResult;
      buildDurationMs = durationMs ?? buildDurationMs;
    },
    failWithCdsError({ count = 1, path } = {}) {
      const body = JSON.stringify(errorBody(1, 'internal server error'));
      const fault = { kind: 'answer', status: 500, contentType: 'application/json', body } as const;
      faults.order({ fault, count, path });
    },
    failAsProxy({ status = 502, count = 1, path } = {}) {
      const body = `<html><body><h1>${status}</h1></body></html>`;
      faults.order({ fault: { kind: 'answer', status, body }, count, path });
    },
    forgetServices: registry.forget,
    restart: vcs.forgetClients,
    setMaintenance(on) {
      inMaintenance = on;
    },
    setSharedInfraToken(token) {
      sharedInfraToken = token;
    },
    setVersion(next) {
      version = next;
    },
    state: () => ({
      services: registry.all().map(({ hash: _hash, registration: _registration, ...rest }) => rest),
      projects: projects.all().map((project) => ({
        key: project.key,
        linkedTo: [...project.links.keys()],
        workflows: [...project.workflows.values()],
      })),
    }),
    async away() {
      away = true;
      await listener.close();
    },
    async back() {
      if (away) listener = await listenOn(app, { host, port: listener.port });
      away = false;
    },
    async close() {
      stopped.abort();
      await listener.close();
      await Promise.all(builds);
    },
  };
  const controls = createControls(controlActions(standIn));
  control.use(createControlRouter(controls));
  return standIn;
}
