import { LRUCache } from 'lru-cache';
import * as schemas from './answer-schemas';
import { ApiConnection, type ApiConnectionOptions } from './api-connection';
import { ApiError, isApiError } from './api-error';
import { runPath, type WorkflowRef, workflowPath } from './paths';
import { signIn } from './sign-in';

/** The most that the API lists at once. */
const PAGE_SIZE = 100;
/** Runs of one branch that one call removes; the caller calls again. */
const MAX_RUNS = 5_000;
/** A call that is given up may be carried out later. */
const CALL_TIMEOUT_MS = 60_000;
/** Deliveries of the workflow wait for a turn. */
const TURN_MS = 20_000;
/** The API lists a run for so long at most after it has marked it for removal, and some more. */
const MARKED_MS = 20 * 60_000;
const MAX_MARKED = 50_000;
const ADVICE = 'give the consumer of hooks.branchDeletion.token the scopes Project and Run';

/**
 * Removes runs one by one, as a consumer that may: CDS 0.50 and later removes the runs of deleted
 * branches by its retention rules, and refuses a service that asks for it.
 */
export class RunRemover {
  readonly #api: ApiConnection;
  readonly #token: () => string;
  readonly #turnMs: number;
  /** Runs that the API has removed, or has marked and still lists. */
  readonly #marked = new LRUCache<string, true>({ max: MAX_MARKED, ttl: MARKED_MS });
  #signingIn: Promise<unknown> | undefined;

  /**
   * @param options.token of a consumer with the scope Run, other than that of a service; asked for
   *   at each sign-in
   * @param options.turnMs milliseconds after which a turn ends, 20,000 when not given
   */
  constructor(options: ApiConnectionOptions & { token: () => string; turnMs?: number }) {
    this.#api = new ApiConnection(options);
    this.#token = options.token;
    this.#turnMs = options.turnMs ?? TURN_MS;
  }

  /**
   * Removes the runs of exactly this branch, and no other. Safe to repeat: a run that is gone is
   * not an error. It ends after some seconds.
   * @returns how many were removed; `isAll` is false where more are left
   * @throws ApiError
   */
  async removeRunsOfBranch(
    of: WorkflowRef & { branch: string },
  ): Promise<{ removed: number; isAll: boolean }> {
    const end = performance.now() + this.#turnMs;
    for (let removed = 0; ;) {
      const { numbers, isAll } = await this.#runsOfBranch(of);
      const left = numbers.filter((number) => !this.#marked.has(keyOf({ ...of, number })));
      // A list that moves while it is read may lack some: the last one has no other.
      if (left.length === 0) return { removed, isAll };
      for (const number of left) {
        if (removed > 0 && performance.now() >= end) return { removed, isAll: false };
        await this.#removeRun({ ...of, number });
        this.#marked.set(keyOf({ ...of, number }), true);
        removed += 1;
      }
    }
  }

  /** Closes the kept connections. */
  close(): void {
    this.#api.close();
  }

  async #runsOfBranch(
    of: WorkflowRef & { branch: string },
  ): Promise<{ numbers: number[]; isAll: boolean }> {
    const branch = encodeURIComponent(of.branch);
    const list = `${workflowPath(of.project, of.workflow)}/runs?git.branch=${branch}`;
    const numbers = new Set<number>();
    for (let offset = 0; offset < MAX_RUNS; offset += PAGE_SIZE) {
      const path = `${list}&offset=${offset}&limit=${PAGE_SIZE}`;
      const runs = await this.#call((api) =>
        api.readable({ method: 'GET', path }, schemas.listedRuns, of),
      );
      for (const { num, tags } of runs ?? []) {
        // The list is a search: what is removed is checked here.
        const branches = tags.filter(({ tag }) => tag === 'git.branch');
        if (branches.length > 0 && branches.every(({ value }) => value === of.branch))
          numbers.add(num);
      }
      if ((runs?.length ?? 0) < PAGE_SIZE) return { numbers: [...numbers], isAll: true };
    }
    return { numbers: [...numbers], isAll: false };
  }

  async #removeRun(run: WorkflowRef & { number: number }): Promise<void> {
    const call = { method: 'DELETE', path: runPath(run), timeoutMs: CALL_TIMEOUT_MS } as const;
    try {
      await this.#call((api) => api.call(call, run));
    } catch (error) {
      // Somebody else, or an earlier call, has removed it.
      if (!isApiError(error) || error.status !== 404) throw error;
    }
  }

  /** Signs in before the first call, and again after a 401. */
  async #call<T>(call: (api: ApiConnection) => Promise<T>): Promise<T> {
    if (!this.#api.credential) await this.#signIn();
    try {
      return await call(this.#api);
    } catch (error) {
      if (!isApiError(error) || error.kind !== 'unauthorized') throw error;
    }
    await this.#signIn();
    return call(this.#api).catch(throwAsRefused);
  }

  async #signIn(): Promise<void> {
    this.#signingIn ??= signIn(this.#api, { token: this.#token(), advice: ADVICE }).finally(
      () => (this.#signingIn = undefined),
    );
    await this.#signingIn.catch(throwAsRefused);
  }
}

function keyOf({ project, workflow, number }: WorkflowRef & { number: number }): string {
  return JSON.stringify([project, workflow, number]);
}

/** A 401 here is about this token, and not about the registration of the service. */
function throwAsRefused(error: unknown): never {
  if (!isApiError(error) || error.kind === 'unavailable') throw error;
  throw new ApiError(
    'refused',
    `${error.message}: the CDS API refuses the token of the consumer that removes runs`,
    { status: error.status === 401 ? 403 : error.status, cdsId: error.cdsId },
  );
}
