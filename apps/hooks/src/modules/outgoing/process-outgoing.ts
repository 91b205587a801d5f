import type { HeldLock, PendingExecution } from '@cds/hooks-store';
import type { OutgoingCallback } from '@cds/wire';
import { MAX_ATTEMPTS, NEVER_ENDED } from '../../queue/attempts';
import type { ProcessOutcome } from '../../queue/processor';
import { createSaveProgress } from '../../queue/save-progress';
import { stackOf, unexpectedSentence } from '../../queue/unexpected-error';
import type { WorkPeriod } from '../hook-module';
import type { Resources } from '../../resources';
import type { Slot } from './concurrency-limiter';
import { type CallHook, type CallResult, type HookCallOutcome, refOf } from './hook-call';
import { checkIsThere, NotYetError } from './not-yet';
import { ApiFailedError, createOutgoingExecution, LostError } from './outgoing-execution';

/** The status of a run that waits for the hook. */
const WAITS = 'Building';
const [CALLED, REPORTED] = [1, 2];

/**
 * Processes one execution of an outgoing hook in two steps: the call, and the callback. The result
 * of the call is saved before the callback is sent. The target is called twice only when the
 * process crashes between its answer and that.
 */
export function createProcessOutgoing(
  resources: Pick<
    Resources,
    'api' | 'callApi' | 'config' | 'logger' | 'now' | 'stores' | 'workMetrics'
  >,
  { ending, killed }: Pick<WorkPeriod, 'ending' | 'killed'>,
  { kind, callHook }: { kind: 'webhook' | 'workflow'; callHook: CallHook },
) {
  const { logger, now, stores, workMetrics } = resources;
  const { retryError } = resources.config;
  const saveProgress = createSaveProgress({
    ...{ store: stores.deliveries, logger, now, killed },
    ended: workMetrics.executionEnded,
  });

  /** As a `Processor`, with the slot of the execution. */
  return async function processOutgoing(
    lock: HeldLock,
    pending: PendingExecution,
    { takeHost }: Slot,
  ): Promise<ProcessOutcome> {
    const { execution } = pending;
    const { timestamp, request_id } = execution;
    const log = logger.child({ requestId: request_id, hook: lock.uuid, execution: timestamp });
    const ref = refOf(execution);
    const isPoison = pending.begun >= MAX_ATTEMPTS;
    const outgoing = createOutgoingExecution(resources, {
      ...{ log, ending, progress: saveProgress(lock, pending), first: pending.state },
    });
    const { ask, askForPosted, saveOrLose, doAttempt, mayBeLate, counted } = outgoing;
    const { finish, pause, outage, tryLater, askAgainSoon, giveUp } = outgoing;

    async function tryOnce(): Promise<HookCallOutcome> {
      const run = await askForPosted((client) => client.workflowRun(ref));
      if (mayBeLate()) checkIsThere(run);
      if (run.status !== WAITS) {
        const is = `the run of the workflow is ${JSON.stringify(run.status.slice(0, 50))}`;
        return { kind: 'nothing', reason: `${is} and waits for no hook: nothing was called` };
      }
      if (!run.hookRun) {
        const message = `the run of the workflow has no outgoing hook ${ref.hookRun}`;
        return { kind: 'failed', message, final: false };
      }
      await saveOrLose(outgoing.state(), 'by itself');
      const parameters = run.hookRun.build_parameters;
      const details = () => askForPosted((client) => client.outgoingHookDetails(ref));
      const asked = { ask, details, attempt: doAttempt, takeHost };
      return callHook({ ref, execution, parameters, signal: killed, ...asked });
    }

    /** @returns undefined when the callback is to be sent now */
    async function makeCall(): Promise<ProcessOutcome | undefined> {
      const start = new Date(now()).toISOString();
      let outcome: HookCallOutcome;
      try {
        outcome = isPoison
          ? { kind: 'failed', message: NEVER_ENDED, final: true }
          : await tryOnce();
      } catch (error) {
        if (error instanceof NotYetError) return askAgainSoon(error.message);
        if (error instanceof ApiFailedError) {
          if (error.failure.kind === 'unavailable') return outage(error.message);
          outcome = { kind: 'failed', message: error.message, final: false };
        } else {
          // The state stays as it is: the next process with the hook lock begins again.
          if (error instanceof LostError || killed.aborted) throw error;
          log.error({ stack: stackOf(error) }, 'outgoing hook failed with an unexpected error');
          outcome = { kind: 'failed', message: unexpectedSentence(error), final: false };
        }
      }
      if (killed.aborted) return { kind: 'left' };
      const state = outgoing.state();
      // No try was made. The limiter replaces the time.
      if (outcome.kind === 'host is full') return pause(state, now(), false);
      if (outcome.kind === 'nothing') {
        log.info({ reason: outcome.reason }, 'outgoing hook is not executed');
        workMetrics.outgoingCalled(kind, 'nothing');
        return finish({ ...state, last_error: outcome.reason });
      }
      if (outcome.kind === 'failed' && !outcome.final && state.refusals + 1 < retryError) {
        log.warn({ error: outcome.message }, 'outgoing hook failed: trying again later');
        return tryLater(outcome.message);
      }
      const over =
        outcome.kind === 'failed'
          ? { ...counted(outcome.message), failed: isPoison }
          : { ...state, last_error: '' };
      const result = outcome.kind === 'failed' ? failed(outcome) : outcome.result;
      const callback: OutgoingCallback = {
        workflow_node_outgoing_hook_id: Number(execution.config?.HookID?.value ?? 0),
        ...{ start, done: new Date(now()).toISOString(), ...result },
      };
      if (outcome.kind === 'failed') {
        log.warn({ error: outcome.message }, 'outgoing hook failed for good: reporting it to CDS');
      }
      workMetrics.outgoingCalled(kind, outcome.kind === 'failed' ? 'failed' : 'success');
      const workflow_run = callback.workflow_run_number ?? state.workflow_run;
      await saveOrLose({
        ...over,
        callback,
        workflow_run,
        steps_done: CALLED,
        refusals: 0,
        outages: 0,
        retry_at: 0,
      });
      return undefined;
    }

    async function sendCallback(callback: OutgoingCallback): Promise<ProcessOutcome> {
      try {
        await ask((client) => client.outgoingHookCallback(ref, callback));
      } catch (error) {
        if (!(error instanceof ApiFailedError)) throw error;
        const message = `the API did not take the result of the hook: ${error.message}`;
        if (error.failure.kind === 'unavailable') return outage(message);
        return outgoing.state().refusals + 1 >= retryError ? giveUp(message) : tryLater(message);
      }
      log.debug({ status: callback.status }, 'outgoing hook processed');
      // The callback is removed: CDS has it, and it may be large.
      const last_error = callback.status === 'Fail' ? firstLine(callback.log) : '';
      const state = outgoing.state();
      return finish({ ...state, callback: undefined, steps_done: REPORTED, last_error });
    }

    try {
      const before = outgoing.state();
      if (before.callback === undefined || before.steps_done < CALLED) {
        const outcome = await makeCall();
        if (outcome) return outcome;
      }
      const { callback } = outgoing.state();
      return callback ? await sendCallback(callback) : { kind: 'left' };
    } catch (error) {
      if (error instanceof LostError) return { kind: 'left' };
      throw error;
    }
  };
}

function failed({ message, log }: HookCallOutcome & { kind: 'failed' }): CallResult {
  const shown = log === undefined ? message : `${message}\n\n${log}`;
  return { status: 'Fail', log: shown, workflow_run_number: null };
}

function firstLine(text: string): string {
  return text.slice(0, text.indexOf('\n') < 0 ? undefined : text.indexOf('\n'));
}
