import type { HookEvent, NodeHook, OutgoingCallback } from '@cds/wire';
import * as schemas from './answer-schemas';
import { type ApiConnectionOptions, notOfTheApi } from './api-connection';
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
import { RegistrationClient } from './registration-client';

/**
 * For a run, whatever `requestTimeout` says, since the API builds the whole workflow meanwhile, and
 * for the removal of runs: a call that is given up may be done later.
 */
const RUN_TIMEOUT_MS = 60_000;
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

/**
 * The calls of the CDS API. Every failed one rejects with an {@link ApiError}, with the reason of
 * the caller's own signal, or with a mistake of this client, which says nothing about the API.
 */
export class CdsApiClient extends RegistrationClient {
  readonly #runTimeoutMs: number;

  constructor(options: CdsApiOptions) {
    super(options);
    this.#runTimeoutMs = options.runTimeoutMs ?? RUN_TIMEOUT_MS;
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
    try {
      yield* listedHooks(pieces, leftOut);
    } catch {
      throw notOfTheApi(call);
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
    const call = { method: 'DELETE', path, timeoutMs: this.#runTimeoutMs } as const;
    await this.connection.call(call, { requestId });
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
    const [hook, workflow, server] = [uuid, workflowId, vcsServer].map(segment);
    const path = `/hook/${hook}/workflow/${workflow}/vcsevent/${server}`;
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
    const call = { method: 'GET', path: runPath(run) } as const;
    const answer = await this.connection.readable(call, schemas.workflowRun);
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
    const path = `${hookRunPath(ref)}/callback`;
    await this.connection.call({ method: 'POST', path, body: callback });
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
  version(): Promise<{ version: string }> {
    const call = { method: 'GET', path: '/mon/version' } as const;
    return this.connection.readable(call, schemas.versionInfo, { anonymous: true });
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
