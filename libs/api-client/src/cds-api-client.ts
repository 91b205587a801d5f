import {
  GO_ZERO_TIME,
  type HookEvent,
  type MonitoringStatus,
  type NodeHook,
  type OutgoingCallback,
  type ServiceRegistration,
  type VersionInfo,
} from '@cds/wire';
import * as schemas from './answer-schemas';
import {
  ApiConnection,
  type ApiConnectionOptions,
  hashCredential,
  notOfTheApi,
} from './api-connection';
import { type LeftOutHook, listedHooks } from './listed-hooks';
import {
  type HookRunRef,
  hookRunPath,
  type NodeRef,
  runPath,
  segment,
  type WorkflowRef,
  workflowPath,
} from './paths';
import { type PolledEvents, readPolledEvents } from './polled-events';
import type { ApiSession } from './read-session';
import type { SharedSession } from './shared-session';
import { signIn } from './sign-in';

/**
 * For a run, whatever `requestTimeout` says, since the API builds the whole workflow meanwhile, and
 * for the removal of runs: a call that is given up may be done later.
 */
const RUN_TIMEOUT_MS = 60_000;
/** CDS answers 401 both to a session that has ended and to a consumer without the scope. */
export const SCOPES_ADVICE =
  'where it goes on, give the consumer of api.token its scopes: Service, Project, Run and Hooks for hooks, Service for vcs';
/** The API asks `vcs` five things for one poll, and gives it a minute for each. */
const POLL_TIMEOUT_MS = 60_000;

export interface CdsApiOptions extends ApiConnectionOptions {
  /** Milliseconds for starting a run or removing those of a branch, 60,000 when not given. */
  runTimeoutMs?: number;
}

/** A hook whose repository is polled. */
export interface PolledHook {
  uuid: string;
  /** The number of its workflow, as its configuration holds it. */
  workflowId: string;
  /** Name of the VCS server. */
  vcsServer: string;
}

/** What a service says of itself; the client adds the fields that are always the same. */
export type RegistrationRequest = Pick<
  ServiceRegistration,
  'name' | 'type' | 'http_url' | 'token' | 'monitoring_status' | 'config' | 'version'
>;

/** A service as an API 0.44 and later knows it. */
export type ServiceIdentity = Pick<ServiceRegistration, 'name' | 'type' | 'http_url' | 'config'>;

/**
 * The calls of the CDS API. Every failed one rejects with an {@link ApiError}, with the reason of
 * the caller's own signal, or with a mistake of this client, which says nothing about the API.
 */
export class CdsApiClient {
  protected readonly connection: ApiConnection;
  readonly #runTimeoutMs: number;
  #session: SharedSession | undefined;
  /** When the JWT of the session expires (ms, monotonic). */
  #expiresAt = 0;

  constructor(options: CdsApiOptions) {
    this.connection = new ApiConnection(options);
    this.#runTimeoutMs = options.runTimeoutMs ?? RUN_TIMEOUT_MS;
  }

  /**
   * `POST /services/register` of CDS 0.40 to 0.43, also the heartbeat. Keeps the hash for all later
   * calls.
   */
  async register(
    registration: RegistrationRequest,
    signal?: AbortSignal,
  ): Promise<ServiceRegistration> {
    this.connection.token = registration.token;
    const body: ServiceRegistration = {
      id: 0,
      last_heartbeat: GO_ZERO_TIME,
      hash: '',
      group_id: null,
      group: null,
      is_shared_infra: false,
      up_to_date: false,
      ...registration,
    };
    // Without the hash, which the API may have forgotten: the token identifies the caller.
    const answer = await this.connection.readable(
      { method: 'POST', path: '/services/register', body, signal },
      schemas.serviceRegistration,
      { anonymous: true },
    );
    this.connection.credential = hashCredential(answer.hash);
    this.#session = { kind: 'hash', hash: answer.hash, upToDate: answer.up_to_date };
    return answer;
  }

  /**
   * `POST /auth/consumer/builtin/signin` of CDS 0.44 and later. Keeps the JWT for all later calls.
   * @param o.service registers it, too, from 0.51 on; an API before refuses it with 403
   */
  async signIn(
    o: { token: string; service?: ServiceIdentity | undefined },
    signal?: AbortSignal,
  ): Promise<Omit<ApiSession, 'jwt'>> {
    const session = await signIn(this.connection, { ...o, advice: SCOPES_ADVICE }, signal);
    const { jwt, lifetimeSeconds } = session;
    const signingKey = session.signingKey.export({ type: 'spki', format: 'pem' }).toString();
    this.#session = { kind: 'jwt', jwt, signingKey, lifetimeSeconds };
    this.#expiresAt = performance.now() + lifetimeSeconds * 1_000;
    return session;
  }

  /** What the last registration or sign-in gave; undefined before the first. */
  session(): SharedSession | undefined {
    if (this.#session?.kind !== 'jwt') return this.#session;
    const leftMs = Math.max(0, this.#expiresAt - performance.now());
    return { ...this.#session, lifetimeSeconds: leftMs / 1_000 };
  }

  /** `POST /services/register` of CDS 0.44 to 0.50, after the sign-in. */
  async registerService(
    service: ServiceIdentity & { version: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const body = {
      ...{ id: 0, last_heartbeat: GO_ZERO_TIME, monitoring_status: { now: GO_ZERO_TIME } },
      ...service,
    };
    await this.connection.call({ method: 'POST', path: '/services/register', body, signal });
  }

  /**
   * `POST /services/heartbeat` of CDS 0.44 and later. The API answers 403 when it has removed the
   * service, after 180 s without one.
   */
  async heartbeat(status: MonitoringStatus, signal?: AbortSignal): Promise<void> {
    await this.connection.call({
      method: 'POST',
      path: '/services/heartbeat',
      body: status,
      signal,
    });
  }

  /**
   * `GET /config/user` of CDS 0.44 and later.
   * @returns the URL of the UI; undefined where the API has none
   */
  async uiUrl(signal?: AbortSignal): Promise<string | undefined> {
    const call = { method: 'GET', path: '/config/user', signal } as const;
    return (await this.connection.readable(call, schemas.userConfig))['url.ui'] || undefined;
  }

  /**
   * `GET /workflow/hook`: the hooks of all workflows, some at a time, so that reading tens of
   * thousands blocks nothing. They are complete only when it ends without an error.
   * @param leftOut called for each entry that cannot be read; the others go on
   */
  async *workflowHooks(
    signal?: AbortSignal,
    leftOut: (hook: LeftOutHook) => void = () => undefined,
  ): AsyncGenerator<NodeHook[]> {
    const call = { method: 'GET', path: '/workflow/hook', signal, inPieces: true } as const;
    const { pieces } = await this.connection.answer(call);
    if (!pieces) throw notOfTheApi(call);
    const hooks = listedHooks(pieces, leftOut);
    for (;;) {
      const next = await hooks.next().catch(() => undefined);
      if (!next) throw notOfTheApi(call);
      if (next.done) return;
      yield next.value;
    }
  }

  /**
   * `POST /project/{key}/workflows/{name}/runs`: starts a run within 60 s.
   * @returns the number of the run, 0 where the API accepted but its answer cannot be read
   */
  async runWorkflow({
    project,
    workflow,
    event,
    requestId,
  }: WorkflowRef & { event: HookEvent }): Promise<{ runNumber: number; subNumber: number }> {
    const call = {
      method: 'POST',
      path: `${workflowPath(project, workflow)}/runs`,
      body: { hook: event },
      timeoutMs: this.#runTimeoutMs,
    } as const;
    const answer = await this.connection.call(call, { requestId });
    const { num, last_subnumber } = schemas.startedRun.parse(answer);
    return { runNumber: num, subNumber: last_subnumber };
  }

  /** `DELETE …/runs/branch/{branch}`: removes the runs of exactly this branch within 60 s. */
  async deleteBranchRuns({
    project,
    workflow,
    branch,
    requestId,
  }: WorkflowRef & { branch: string }): Promise<void> {
    const path = `${workflowPath(project, workflow)}/runs/branch/${segment(branch)}`;
    await this.connection.call(
      { method: 'DELETE', path, timeoutMs: this.#runTimeoutMs },
      { requestId },
    );
  }

  /**
   * `GET /project/{key}/integrations/{name}`: the values of a project's integration, its passwords
   * in clear: never store or log them.
   */
  async projectIntegration(
    project: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<Record<string, { value: string }>> {
    const path = `/project/${segment(project)}/integrations/${segment(name)}?clearPassword=true`;
    return (await this.connection.readable({ method: 'GET', path, signal }, schemas.integration))
      .config;
  }

  /**
   * `GET /hook/{uuid}/workflow/{id}/vcsevent/{server}`: changes of a hook's repository, without
   * commits that have a run.
   * @param sinceMs milliseconds since 1970; the API takes nanoseconds
   * @returns undefined where the server cannot be polled: the API answers `null`
   */
  async pollVcsEvents(
    { uuid, workflowId, vcsServer }: PolledHook,
    sinceMs: number,
    signal?: AbortSignal,
  ): Promise<PolledEvents | undefined> {
    const path = `/hook/${segment(uuid)}/workflow/${segment(workflowId)}/vcsevent/${segment(vcsServer)}`;
    const call = { method: 'GET', path, timeoutMs: POLL_TIMEOUT_MS, signal } as const;
    const headers = { 'X-CDS-Last-Execution': `${Math.floor(sinceMs)}000000` };
    const answer = await this.connection.answer(call, { headers });
    if (answer.json === null) return undefined;
    const events = readPolledEvents(answer.json, answer.headers['x-cds-poll-interval']);
    if (!events) throw notOfTheApi(call);
    return events;
  }

  /** `GET …/runs/{number}`: as much of a run as concerns this run of an outgoing hook. */
  async workflowRun({ hookRun, ...run }: HookRunRef): Promise<schemas.RunOfHook> {
    const answer = await this.connection.readable(
      { method: 'GET', path: runPath(run) },
      schemas.workflowRun,
    );
    return { status: answer.status, hookRun: schemas.findHookRun(answer, hookRun) };
  }

  /** `GET …/runs/{number}`: the newest run of one node of a run; undefined for an unknown node. */
  async nodeRun(
    { node, ...run }: NodeRef,
    signal?: AbortSignal,
  ): Promise<schemas.NodeRun | undefined> {
    const call = { method: 'GET', path: runPath(run), signal } as const;
    return schemas.findNodeRun(await this.connection.readable(call, schemas.workflowRun), node);
  }

  /** `GET …/hooks/{uuid}/details`: variables that the run does not show, secrets among them. */
  async outgoingHookDetails(ref: HookRunRef): Promise<schemas.BuildParameter[]> {
    const path = `${hookRunPath(ref)}/details`;
    return (await this.connection.readable({ method: 'GET', path }, schemas.hookRun))
      .build_parameters;
  }

  /** `POST …/hooks/{uuid}/callback`: what came of an outgoing hook. */
  async outgoingHookCallback(ref: HookRunRef, callback: OutgoingCallback): Promise<void> {
    await this.connection.call({
      method: 'POST',
      path: `${hookRunPath(ref)}/callback`,
      body: callback,
    });
  }

  /**
   * `GET /config/vcs`: the names of the VCS servers, of which the API asks a `vcs` service. Empty
   * where none is registered; an error of the API where none answers.
   */
  async vcsServers(signal?: AbortSignal): Promise<string[]> {
    const call = { method: 'GET', path: '/config/vcs', signal } as const;
    return Object.keys((await this.connection.readable(call, schemas.vcsServers)) ?? {});
  }

  /** `GET /mon/version`: the version of the API; needs no registration. */
  version(): Promise<VersionInfo> {
    return this.connection.readable({ method: 'GET', path: '/mon/version' }, schemas.versionInfo, {
      anonymous: true,
    });
  }

  /**
   * Calls `listener`, which must not throw, after every answer of the API below 500. Returns what
   * ends the listening.
   */
  onSuccess(listener: () => void): () => void {
    return this.connection.onSuccess(listener);
  }

  /** Closes the kept connections. */
  close(): void {
    this.connection.close();
  }
}
