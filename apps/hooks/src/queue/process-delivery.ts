import type {
  ExecutionState,
  KnownChanges,
  PendingExecution,
  DeliveryPlan,
  DeliveryStep,
  HeldLock,
  PlanDelivery,
} from '@cds/hooks-store';
import { pauseUntil, type Processor, type ProcessOutcome } from './processor';
import { MalformedExecutionError } from '../payloads/malformed-execution';
import {
  createProcessStep,
  deliveryLog,
  isSentAgain,
  type ProcessStepDeps,
  type StepOutcome,
} from './process-step';
import type { Failure } from './api-failure';
import {
  createSaveProgress,
  type SaveProgressDeps,
  type SavedProgress,
  notSaved,
} from './save-progress';
import { MAX_ATTEMPTS, NEVER_ENDED } from './attempts';
import { isUnexpected, stackOf, UnexpectedError, unexpectedSentence } from './unexpected-error';
import { retryWrite } from './retry-write';

export interface ProcessDeliveryDeps extends SaveProgressDeps, ProcessStepDeps {
  plan: PlanDelivery;
  /** Of repository webhooks that are polled, too. */
  knownChanges: KnownChanges;
  ending: AbortSignal;
  /** Called for each run that is to be started again later. */
  retried?: (reason: RetryReason) => void;
}

export type RetryReason = Failure['kind'];

const BUSY_MS = 300;
const UNSURE_MS = 1_000;
const UNSURE =
  'the API has not said yet whether it has removed the runs of the branch: the run is asked for ' +
  'when it has';

/**
 * Processes one delivery: its steps in order. Progress is saved after each step, so that a later
 * try resumes there. A step that the API refuses for good is given up, and the next ones are done:
 * a workflow that refuses one branch may accept another.
 *
 * Saving progress also checks the hook lock before the next call. A run is started twice only if
 * the process crashes between the API's answer and that.
 */
export function createProcessDelivery(deps: ProcessDeliveryDeps): Processor {
  const { logger, now, retryDelayMs } = deps;
  const processStep = createProcessStep(deps);
  const saveProgress = createSaveProgress(deps);
  const stored = { logger, signal: deps.killed };

  function afterFailure(state: ExecutionState, message: string): ExecutionState {
    return { ...state, nb_errors: state.nb_errors + 1, last_error: message };
  }

  async function processSteps(
    lock: HeldLock,
    pending: PendingExecution,
    { keep, pause, finish, attempt }: SavedProgress,
    reached: { state: ExecutionState },
  ): Promise<ProcessOutcome> {
    const log = deliveryLog(logger, lock, pending);
    let plan: DeliveryPlan;
    try {
      const result = await attempt(reached.state, () => planned(deps.plan, pending));
      if (!result) return { kind: 'left' };
      plan = result.value;
    } catch (error) {
      if (!(error instanceof MalformedExecutionError)) throw error;
      log.warn({ error }, 'a delivery cannot be read and is given up');
      return finish({ ...afterFailure(reached.state, error.message), failed: true });
    }

    let { state } = reached;
    const changes = await retryWrite(() => deps.knownChanges(lock, pending, plan), stored);
    for (const { name, reason } of plan.leftOut ?? [])
      log.info({ ref: name, reason }, 'a branch change is skipped');
    const [first] = plan.leftOut ?? [];
    let leftOut = first ? `nothing to do for ${first.name}: ${first.reason}` : '';
    for (const [index, step] of plan.steps.entries()) {
      if (index < state.steps_done || !isAskedFor(step, index, pending, state)) continue;
      if (step.type === 'run') await deps.vcsReadiness.wait();
      if (deps.ending.aborted) return { kind: 'left' };
      const known = isSentAgain(pending, state) ? undefined : changes.whyNot(step);
      const outcome: StepOutcome =
        known === undefined
          ? await processStep(lock, pending, plan, step, state, keep)
          : { kind: 'left out', message: known };

      if (outcome.kind === 'left') return { kind: 'left' };
      if (outcome.kind === 'busy') return pauseUntil(now() + BUSY_MS);
      if (outcome.kind === 'unsure') {
        const until = now() + UNSURE_MS;
        if (state.last_error === UNSURE) return pauseUntil(until);
        log.warn({ branch: step.branch, reason: UNSURE }, 'a run waits for a removal of runs');
        return pause({ ...state, last_error: UNSURE }, until, false);
      }
      if (outcome.kind === 'pause') {
        const until = now() + outcome.pauseMs;
        deps.retried?.(outcome.forApi ? 'unavailable' : 'refused');
        state = outcome.forApi
          ? { ...state, outages: state.outages + 1, last_error: outcome.message }
          : {
              ...afterFailure(state, outcome.message),
              refusals: state.refusals + 1,
              outages: 0,
              retry_at: until,
            };
        // One line for each outage of a hook, not for each try.
        log[state.outages > 1 ? 'debug' : 'warn'](
          { error: outcome.message, nb_errors: state.nb_errors },
          'a run was not started: trying again later',
        );
        return pause(state, until, outcome.forApi);
      }

      const mine = await retryWrite(() => changes.note(step, outcome.kind), stored);
      if (!mine) return { kind: 'left' };
      const next = { ...state, steps_done: index + 1, refusals: 0, outages: 0, retry_at: 0 };
      if (outcome.kind === 'failed') {
        log.error(
          { error: outcome.message, step: index },
          'a run was not started and is given up: see the error of the execution',
        );
        const failedSteps = [...state.failed_steps, index];
        state = { ...afterFailure(next, outcome.message), failed: true, failed_steps: failedSteps };
      } else if (outcome.kind === 'left out') {
        log.info({ step: index, reason: outcome.message }, 'a branch change is skipped');
        leftOut = `nothing to do: ${outcome.message}`;
        state = next;
      } else {
        state = { ...next, workflow_run: outcome.runNumber ?? state.workflow_run };
      }
      reached.state = state;
      if (index + 1 === plan.steps.length) break;
      const saved = await keep(state);
      if (saved !== 'ok') return notSaved(saved);
    }
    log.debug({ steps: plan.steps.length, run: state.workflow_run }, 'delivery processed');
    return finish({ ...state, last_error: state.failed ? state.last_error : leftOut });
  }

  return async function processDelivery(lock, pending, mayTakeNext) {
    const log = deliveryLog(logger, lock, pending);
    const progress = saveProgress(lock, pending, mayTakeNext);
    const { pause, finish } = progress;
    const reached = { state: pending.state };
    if (pending.begun >= MAX_ATTEMPTS) {
      log.error(
        { begun: pending.begun },
        'an execution is given up: each process that began it crashed or froze',
      );
      return finish({ ...afterFailure(reached.state, NEVER_ENDED), failed: true });
    }
    try {
      return await processSteps(lock, pending, progress, reached);
    } catch (error) {
      if (!isUnexpected(error)) throw error;
      const { state } = reached;
      const refusals = state.refusals + 1;
      const failed = { ...afterFailure(state, unexpectedSentence(error)), refusals };
      log.error({ stack: stackOf(error), tries: refusals }, 'a delivery meets a bug in hooks');
      if (refusals >= MAX_ATTEMPTS) return finish({ ...failed, failed: true });
      const until = now() + retryDelayMs;
      return pause({ ...failed, retry_at: until }, until, false);
    }
  };
}

/** @throws what `plan` throws for a malformed delivery, UnexpectedError for all else */
function planned(plan: ProcessDeliveryDeps['plan'], pending: PendingExecution): DeliveryPlan {
  try {
    return plan(pending);
  } catch (error) {
    throw error instanceof MalformedExecutionError ? error : new UnexpectedError(error);
  }
}

/**
 * A replayed delivery leads to runs only, a retried one to those that failed. Its branches may have
 * been pushed to or deleted since, so it must not touch their cleanups.
 */
function isAskedFor(
  step: DeliveryStep,
  index: number,
  pending: PendingExecution,
  state: ExecutionState,
): boolean {
  if (!isSentAgain(pending, state)) return true;
  const { retry_steps: only = [] } = state;
  return step.type === 'run' && (only.length === 0 || only.includes(index));
}
