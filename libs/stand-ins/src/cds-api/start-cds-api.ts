import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import express from 'express';
import type { Task, VcsRepo } from '@cds/wire';
import { createControlRouter, createControls } from '../http/control';
import { createFaultSwitch } from '../http/faults';
import { listenOn } from '../http/listener';
import { createRequestLog } from '../http/request-log';
import { answerErrorAs, ApiRefusal } from './api-refusal';
import { build } from './builds/build';
import { controlActions } from './control-actions';
import { OAUTH_GRANT } from './credentials/oauth-grant';
import { generationOf } from './generations';
import type { BranchRemoval, WorkflowRun } from './model';
import { CALLBACK_PATH, createOAuthLink } from './oauth-link';
import { createOutgoingHooks } from './outgoing-hooks';
import { createProjectStore } from './project-store';
import { applyRetentionRule } from './run-removal';
import { createServiceCaller } from './service-caller';
import { createServiceRegistry } from './service-registry';
import { createServiceRoutes } from './service-routes';
import type { CdsApiOptions, CdsApiStandIn } from './stand-in';
import { createVcsCalls } from './vcs-calls';
import { createVcsEvents } from './vcs-events';
import { importVcsProject } from './vcs-projects';
import { createWorkflows } from './workflows';

/** Starts an API of CDS on this machine: of 0.41 unless told otherwise. */
export async function startCdsApi(options: CdsApiOptions = {}): Promise<CdsApiStandIn> {
  const host = options.host ?? '127.0.0.1';
  const generation = generationOf(options.cds ?? '0.41');
  let sharedInfraToken = options.sharedInfraToken ?? 'sandbox-shared-infra-token';
  let version = options.version ?? generation.version;
  let inMaintenance = false;
  const violations: string[] = [];
  const registry = createServiceRegistry(options.forgottenAfterMs);
  const access = generation.createAccess({
    registry,
    version: () => version,
    apiUrl: () => url,
    inMaintenance: () => inMaintenance,
    onViolation: (sentence) => void violations.push(sentence),
    sharedInfraToken: () => sharedInfraToken,
    newHash: () => options.hash ?? randomUUID(),
  });
  const projects = createProjectStore();
  const caller = createServiceCaller({ registry, access, attempts: generation.attempts });
  const vcs = createVcsCalls({ generation, projects, caller, registry });
  const workflows = createWorkflows({
    ...{ generation, projects, caller, vcs },
    keepsRunsOf: options.keepsRunsOf ?? 'all',
  });
  const outgoing = createOutgoingHooks({ projects, caller });
  const link = createOAuthLink({
    projects,
    caller,
    isKnown: generation.credentials.includes(OAUTH_GRANT),
    uiUrl: options.uiUrl,
  });
  const faults = createFaultSwitch();
  const requests = createRequestLog();
  const removals: BranchRemoval[] = [];
  const builds = new Set<Promise<void>>();
  const stopped = new AbortController();
  // Any number of builds wait for their ends.
  setMaxListeners(0, stopped.signal);
  let buildResult: 'Success' | 'Fail' = 'Success';
  let buildDurationMs = options.buildDurationMs ?? 200;
  let away = false;
  const uiUrl = (): string => options.uiUrl ?? url;

  function onRun(run: WorkflowRun): void {
    const { application } = projects.workflow(run.project, run.workflow);
    if (!application || stopped.signal.aborted) return;
    const building = buildOf(run, application).catch((error: unknown) => {
      run.status = 'Fail';
      run.problems.push(String(error));
    });
    builds.add(building);
    void building.finally(() => builds.delete(building));
  }

  async function buildOf(
    run: WorkflowRun,
    application: { server: string; repo: string },
  ): Promise<void> {
    const { server } = application;
    const credential = vcs.credentialOf(run.project, server);
    const call = vcs.ofProject(run.project, server);
    await build(
      {
        reporter: generation.reporter({ vcs: call, credential, run, application, uiUrl: uiUrl() }),
        durationMs: () => buildDurationMs,
        result: () => buildResult,
        signal: stopped.signal,
      },
      run,
    );
  }

  const app = express().disable('x-powered-by').disable('etag');
  const control = express.Router();
  app.use('/_control', control);
  app.use(requests.middleware, faults.middleware);
  app.use(link.router);
  app.use(
    createServiceRoutes({
      ...{ generation, access, registry, projects, caller, uiUrl },
      version: () => version,
      apiUrl: () => url,
      branchRemoval: generation.branchRemoval,
      matchesEscapedSlash: options.matchesEscapedSlash ?? generation.matchesEscapedSlash,
      onRun,
      onRemoval: (removal) => removals.push(removal),
      outgoing: outgoing.router,
      outgoingUuids: () => outgoing.all().map(({ uuid }) => uuid),
      vcsEvents: createVcsEvents({
        projects,
        vcs,
        asksForDeletions: options.asksForDeletions ?? false,
      }),
    }),
  );
  app.use(answerErrorAs(generation.errorBody));

  let listener = await listenOn(app, { host, port: options.port ?? 0 });
  const url = options.publicUrl ?? listener.url;
  const SERVER = generation.vcsServer;

  const standIn: CdsApiStandIn = {
    url,
    port: listener.port,
    cds: generation.cds,
    connectsBy: generation.connectsBy,
    branchRemoval: generation.branchRemoval,
    vcsServer: SERVER,
    callbackUrl: options.callbackUrl ?? `${url}${CALLBACK_PATH}`,
    get sharedInfraToken() {
      return sharedInfraToken;
    },
    tokenOf: access.tokenOf,
    hasSessions: access.sessions !== undefined,
    get sessions() {
      if (!access.sessions) throw new Error(`CDS ${generation.cds} has no sessions`);
      return access.sessions;
    },
    violations: () => [...violations],
    serviceOf(headers) {
      try {
        return access.identify({ method: 'GET', headers }).service?.name ?? '';
      } catch {
        return '';
      }
    },
    statusName: generation.statusName,
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
    importVcsProject: (asked) => importVcsProject({ generation, projects, vcs }, asked),
    unlink(project, server = SERVER) {
      const { links, vcsProjects, workflows: all } = projects.project(project);
      const user = [...all.values()].find(({ application }) => application?.server === server);
      if (user)
        throw new Error(`${project} cannot be unlinked: its workflow ${user.name} uses ${server}`);
      links.delete(server);
      vcsProjects.delete(server);
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
    async applyRetentionRule() {
      if (generation.branchRemoval !== 'rule')
        throw new ApiRefusal('wrongRequest', `CDS ${generation.cds} has no retention rules`);
      const done = await applyRetentionRule(projects.all(), vcs);
      removals.push(...done);
      return done;
    },
    purge() {
      for (const { workflows: all } of projects.all())
        for (const workflow of all.values()) workflow.removedRuns = [];
    },
    calls: caller.calls,
    onCall: caller.onCall,
    build: () => ({ result: buildResult, durationMs: buildDurationMs }),
    isAway: () => away,
    setBuild({ result, durationMs }) {
      buildResult = result ?? buildResult;
      buildDurationMs = durationMs ?? buildDurationMs;
    },
    failWithCdsError({ count = 1, path } = {}) {
      const body = JSON.stringify(generation.errorBody(new ApiRefusal('internal'), randomUUID()));
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
      services: registry
        .all()
        .map(({ hash: _hash, key: _key, registration: _registration, ...rest }) => rest),
      projects: projects.all().map((project) => ({
        key: project.key,
        linkedTo: [...project.links.keys(), ...project.vcsProjects.keys()],
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
      access.close();
    },
  };
  const controls = createControls(controlActions(standIn));
  control.use(createControlRouter(controls));
  return standIn;
}
