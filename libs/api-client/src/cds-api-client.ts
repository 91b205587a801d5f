import type { z } from 'zod';
import {
  GO_ZERO_TIME,
  type HookEvent,
  type NodeHook,
  type OutgoingCallback,
  type ServiceRegistration,
  type VersionInfo,
} from '@cds/wire';
import * as schemas from './answer-schemas';
import { ApiError } from './api-error';
import { type LeftOutHook, listedHooks } from './listed-hooks';
import { judgeAnswer } from './judge-answer';
import { toSafeMessage } from './safe-message';
import { type PolledEvents, readPolledEvents } from './polled-events';
import {
  createHttpSender,
  type HttpAnswer,
  type HttpCall,
  type HttpSender,
  NoAnswerError,
  NotSentError,
} from './send-request';

/**
 * For a run, whatever `requestTimeout` says, since the API builds the whole workflow meanwhile, and
 * for the removal of runs: a call that is given up may be done later.
 */
const RUN_TIMEOUT_MS = 60_000;
/** The API asks `vcs` five things for one poll, and gives it a minute for each. */
const POLL_TIMEOUT_MS = 60_000;
/** What may stand in a header: it comes from Redis, where anything may have got in. */
const USABLE_REQUEST_ID = /^[\w.:-]{1,100}$/;

export interface CdsApiOptions {
  /** Where the API is. */
  url: string;
  /** Accept any TLS certificate, for this client only. */
  insecure: boolean;
  requestTimeoutSeconds: number;
  /** Milliseconds for starting a run or removing those of a branch, 60,000 when not given. */
  runTimeoutMs?: number;
}

export interface WorkflowRef {
  /** Key of the project. */
  project: string;
  workflow: string;
  /** Sent as CDS's `Request-ID`: an API that knows the header logs a uuid as its own. */
  requestId?: string | undefined;
}

/** One run of an outgoing hook. */
export interface HookRunRef extends WorkflowRef {
  /** Of the workflow's run. */
  number: number;
  /** Its uuid. */
  hookRun: string;
}

/** A node of a workflow, in one run of it. */
export interface NodeRef {
  project: string;
  workflow: string;
  /** Of the workflow's run. */
  number: number;
  /** Its name. */
  node: string;
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

type Call = Pick<HttpCall, 'method' | 'path' | 'body' | 'timeoutMs' | 'signal' | 'inPieces'>;
type CallInTime = Omit<Call, 'timeoutMs'> & { timeoutMs?: number };

/**
 * The calls of the CDS API. Every failed one rejects with an {@link ApiError}, with the reason of
 * the caller's own signal, or with a mistake of this client, which says nothing about the API.
 */
export class CdsApiClient {
  readonly #http: HttpSender;
  readonly #timeoutMs: number;
  readonly #runTimeoutMs: number;
  readonly #listeners = new Set<() => void>();
  #hash: string | undefined;
  /** Removed from errors, whatever the API repeats. */
  #token: string | undefined;

  constructor(options: CdsApiOptions) {
    this.#http = createHttpSender(options);
    this.#timeoutMs = options.requestTimeoutSeconds * 1_000;
    this.#runTimeoutMs = options.runTimeoutMs ?? RUN_TIMEOUT_MS;
  }

  /** What the API gave this service at its last registration; undefined before the first. */
  get hash(): string | undefined {
    return this.#hash;
  }

  /** `POST /services/register`, also the heartbeat. Keeps the hash for all later calls. */
  async register(
    registration: RegistrationRequest,
    signal?: AbortSignal,
  ): Promise<ServiceRegistration> {
    this.#token = registration.token;
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
    const answer = await this.#readable(
      { method: 'POST', path: '/services/register', body, signal },
      schemas.serviceRegistration,
      { anonymous: true },
    );
    this.#hash = answer.hash;
    return answer;
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
    const { pieces } = await this.#answer(call);
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
    const answer = await this.#call(call, { requestId });
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
    await this.#call({ method: 'DELETE', path, timeoutMs: this.#runTimeoutMs }, { requestId });
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
    return (await this.#readable({ method: 'GET', path, signal }, schemas.integration)).config;
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
    const answer = await this.#answer(call, { headers });
    if (answer.json === null) return undefined;
    const events = readPolledEvents(answer.json, answer.headers['x-cds-poll-interval']);
    if (!events) throw notOfTheApi(call);
    return events;
  }

  /** `GET …/runs/{number}`: as much of a run as concerns this run of an outgoing hook. */
  async workflowRun({ hookRun, ...run }: HookRunRef): Promise<schemas.RunOfHook> {
    const answer = await this.#readable({ method: 'GET', path: runPath(run) }, schemas.workflowRun);
    return { status: answer.status, hookRun: schemas.findHookRun(answer, hookRun) };
  }

  /** `GET …/runs/{number}`: the newest run of one node of a run; undefined for an unknown node. */
  async nodeRun(
    { node, ...run }: NodeRef,
    signal?: AbortSignal,
  ): Promise<schemas.NodeRun | undefined> {
    const call = { method: 'GET', path: runPath(run), signal } as const;
    return schemas.findNodeRun(await this.#readable(call, schemas.workflowRun), node);
  }

  /** `GET …/hooks/{uuid}/details`: variables that the run does not show, secrets among them. */
  async outgoingHookDetails(ref: HookRunRef): Promise<schemas.BuildParameter[]> {
    const path = `${hookRunPath(ref)}/details`;
    return (await this.#readable({ method: 'GET', path }, schemas.hookRun)).build_parameters;
  }

  /** `POST …/hooks/{uuid}/callback`: what came of an outgoing hook. */
  async outgoingHookCallback(ref: HookRunRef, callback: OutgoingCallback): Promise<void> {
    await this.#call({ method: 'POST', path: `${hookRunPath(ref)}/callback`, body: callback });
  }

  /**
   * `GET /config/vcs`: the names of the VCS servers, of which the API asks a `vcs` service. Empty
   * where none is registered; an error of the API where none answers.
   */
  async vcsServers(signal?: AbortSignal): Promise<string[]> {
    const call = { method: 'GET', path: '/config/vcs', signal } as const;
    return Object.keys((await this.#readable(call, schemas.vcsServers)) ?? {});
  }

  /** `GET /mon/version`: the version of the API; needs no registration. */
  version(): Promise<VersionInfo> {
    return this.#readable({ method: 'GET', path: '/mon/version' }, schemas.versionInfo);
  }

  /**
   * Calls `listener`, which must not throw, after every answer of the API below 500. Returns what
   * ends the listening.
   */
  onSuccess(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Closes the kept connections. */
  close(): void {
    this.#http.close();
  }

  /** A call whose answer is needed: a 2xx that cannot be read is no answer of the API. */
  async #readable<T>(
    call: Omit<Call, 'timeoutMs'>,
    schema: z.ZodType<T>,
    options: CallOptions = {},
  ): Promise<T> {
    const parsed = schema.safeParse(await this.#call(call, options));
    if (parsed.success) return parsed.data;
    throw notOfTheApi(call);
  }

  /** The JSON of a 2xx, undefined where it cannot be read. */
  async #call(call: CallInTime, options?: CallOptions): Promise<unknown> {
    return (await this.#answer(call, options)).json;
  }

  /** A 2xx. */
  async #answer(call: CallInTime, options: CallOptions = {}): Promise<HttpAnswer> {
    const name = describeCall(call);
    try {
      const answer = await this.#http.send({
        timeoutMs: this.#timeoutMs,
        ...call,
        headers: this.#headers(options),
      });
      const error = judgeAnswer(name, answer);
      if (!error || (error.cdsId !== undefined && answer.status < 500)) this.#announce();
      if (error) throw error;
      return answer;
    } catch (error) {
      call.signal?.throwIfAborted();
      throw this.#withoutSecrets(name, error);
    }
  }

  #headers({ anonymous = false, requestId, headers }: CallOptions): Record<string, string> {
    return {
      // The API takes a caller for a service by this name, and answers 401 otherwise.
      'User-Agent': 'CDS/service',
      'X-Requested-With': 'X-CDS-SDK',
      'Content-Type': 'application/json',
      ...(this.#hash && !anonymous
        ? { X_AUTH_HEADER: Buffer.from(this.#hash).toString('base64') }
        : {}),
      ...(requestId && USABLE_REQUEST_ID.test(requestId) ? { 'Request-ID': requestId } : {}),
      ...headers,
    };
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  #withoutSecrets(call: string, error: unknown): unknown {
    const hide = (message: string): string => toSafeMessage(message, [this.#token, this.#hash]);
    if (error instanceof ApiError) {
      return new ApiError(error.kind, hide(error.message), error);
    }
    if (!(error instanceof NoAnswerError)) return error;
    return new ApiError(
      'unavailable',
      hide(`${call}: the CDS API cannot be reached at api.http.url: ${error.message}`),
      { mayBeDone: !(error instanceof NotSentError) },
    );
  }
}

interface CallOptions {
  /** Do not send the hash. */
  anonymous?: boolean;
  requestId?: string | undefined;
  /** Of this call alone. */
  headers?: Record<string, string> | undefined;
}

function notOfTheApi(call: Pick<Call, 'method' | 'path'>): ApiError {
  return new ApiError(
    'unavailable',
    `${describeCall(call)}: the answer is not the CDS API's; check that api.http.url is the API`,
  );
}

function describeCall({ method, path }: Pick<Call, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

function workflowPath(project: string, workflow: string): string {
  return `/project/${segment(project)}/workflows/${segment(workflow)}`;
}

function runPath({ project, workflow, number }: Omit<NodeRef, 'node'>): string {
  return `${workflowPath(project, workflow)}/runs/${number}`;
}

function hookRunPath({ hookRun, ...run }: HookRunRef): string {
  return `${runPath(run)}/hooks/${segment(hookRun)}`;
}

/**
 * One path segment. `.` and `..` would lead to another route; half a character has no form in a
 * URL.
 * @throws ApiError `refused`
 */
function segment(value: string): string {
  if (value === '' || value === '.' || value === '..' || /\p{Surrogate}/u.test(value)) {
    const shown = JSON.stringify(value.slice(0, 200));
    throw new ApiError('refused', `${shown} cannot be part of a URL of the CDS API`);
  }
  return encodeURIComponent(value);
}
