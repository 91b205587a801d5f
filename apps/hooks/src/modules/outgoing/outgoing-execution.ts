import type { CdsApiClient } from '@cds/api-client';
import type { ExecutionState, Saved } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { type Failure, outagePauseMs } from '../../queue/api-failure';
import type { ProcessOutcome } from '../../queue/processor';
import type { SavedProgress } from '../../queue/save-progress';
import type { Resources } from '../../resources';
import { isNotFound, MAX_NOT_YET, NotYetError, notYetPauseMs } from './not-yet';

export class ApiFailedError extends Error {
  override readonly name = 'ApiFailedError';
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** This process lost the hook lock, or has to end. */
export class LostError extends Error {
  override readonly name = 'LostError';
}

/** What both steps of an outgoing hook do with its execution: save it, pause it, ask the API. */
export function createOutgoingExecution(
  resources: Pick<Resources, 'api' | 'callApi' | 'config' | 'now'>,
  o: { log: Logger; ending: AbortSignal; progress: SavedProgress; first: ExecutionState },
) {
  const { api, callApi, now } = resources;
  const retryDelayMs = resources.config.retryDelaySeconds * 1_000;
  const { log, ending, progress } = o;
  const { finish, pause, attempt } = progress;
  let state = o.first;

  async function save(next: ExecutionState, before?: 'by itself'): Promise<Saved> {
    const saved = await progress.keep(next, before);
    state = next;
    return saved;
  }

  async function saveOrLose(next: ExecutionState, before?: 'by itself'): Promise<void> {
    if ((await save(next, before)) !== 'ok') throw new LostError();
  }

  /** @throws LostError, and what `work` throws */
  async function doAttempt<T>(work: () => T | Promise<T>): Promise<T> {
    const done = await attempt(state, work);
    if (!done) throw new LostError();
    return done.value;
  }

  /** @throws ApiFailedError, LostError */
  async function ask<T>(call: (client: CdsApiClient) => Promise<T>): Promise<T> {
    if (ending.aborted) throw new LostError();
    const mine = async () => (await save(state)) === 'ok';
    const result = await callApi(() => call(api), mine);
    if (!result) throw new LostError();
    if (!result.ok) throw new ApiFailedError(result.failure);
    return result.value;
  }

  function outage(message: string): Promise<ProcessOutcome> {
    const outages = state.outages + 1;
    if (outages === 1) log.warn({ error: message }, 'outgoing hook waits for the API');
    const until = now() + outagePauseMs(outages, retryDelayMs);
    return pause({ ...state, outages, last_error: message }, until, true);
  }

  function counted(message: string): ExecutionState {
    const { nb_errors, refusals } = state;
    return {
      ...state,
      nb_errors: nb_errors + 1,
      refusals: refusals + 1,
      outages: 0,
      last_error: message,
    };
  }

  /** The execution becomes a dead letter. */
  function giveUp(message: string): Promise<ProcessOutcome> {
    log.error({ error: message }, 'outgoing hook is given up: see the error of the execution');
    return finish({ ...counted(message), failed: true, failed_steps: [state.steps_done] });
  }

  function tryLater(message: string): Promise<ProcessOutcome> {
    const until = now() + retryDelayMs;
    return pause({ ...counted(message), retry_at: until }, until, false);
  }

  function mayBeLate(): boolean {
    return (state.not_yet ?? 0) < MAX_NOT_YET;
  }

  /** @throws NotYetError, ApiFailedError, LostError */
  async function askForPosted<T>(call: (client: CdsApiClient) => Promise<T>): Promise<T> {
    try {
      return await ask(call);
    } catch (error) {
      if (!(error instanceof ApiFailedError) || !isNotFound(error.failure) || !mayBeLate())
        throw error;
      throw new NotYetError(error.message);
    }
  }

  function askAgainSoon(message: string): Promise<ProcessOutcome> {
    const { not_yet = 0 } = state;
    log.debug({ reason: message }, 'outgoing hook is not shown by the API yet');
    const until = now() + notYetPauseMs(not_yet);
    return pause({ ...state, not_yet: not_yet + 1, retry_at: until }, until, false);
  }

  return {
    /** As it was saved last. */
    state: () => state,
    saveOrLose,
    doAttempt,
    ask,
    askForPosted,
    mayBeLate,
    counted,
    finish,
    pause,
    outage,
    tryLater,
    askAgainSoon,
    giveUp,
  };
}
