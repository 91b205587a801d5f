import type { CdsApiClient } from '@cds/api-client';
import type {
  DeliveryPlan,
  DeliveryStep,
  ExecutionState,
  HeldLock,
  PendingExecution,
} from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { NO_PARENT_WORKFLOW } from '@cds/wire';
import { outagePauseMs } from './api-failure';
import type { ApiCaller } from './call-api';
import type { SavedProgress } from './save-progress';
import type { VcsReadiness } from './vcs-readiness';

/** A branch that a delivery names. */
export interface BranchOfDelivery {
  lock: HeldLock;
  pending: PendingExecution;
  /** `workspace/slug` */
  repository: string;
  branch: string;
}

/** What a delivery does to cleanups of branches. */
export interface BranchCleanups {
  /** @returns false when the hook lock is lost */
  schedule(of: BranchOfDelivery): Promise<boolean>;
  /** `busy` while the API removes the runs, `unsure` until it has answered whether it did. */
  cancel(of: BranchOfDelivery): Promise<'ok' | 'lost' | 'busy' | 'unsure'>;
}

export interface ProcessStepDeps {
  api: Pick<CdsApiClient, 'runWorkflow'>;
  callApi: ApiCaller;
  vcsReadiness: VcsReadiness;
  cleanups: BranchCleanups;
  logger: Logger;
  retryDelayMs: number;
  /** Tries of a step that the API refuses. */
  retryError: number;
}

type Keep = SavedProgress['keep'];

export type StepOutcome =
  | { kind: 'ok'; runNumber?: number }
  /** `message`: why the step needs no run. */
  | { kind: 'left out'; message: string }
  | { kind: 'failed'; message: string }
  | { kind: 'pause'; forApi: boolean; pauseMs: number; message: string }
  /** The API is removing the runs of the branch for another hook. */
  | { kind: 'busy' }
  /** It is not known yet whether the API has removed the runs of the branch. */
  | { kind: 'unsure' }
  | { kind: 'left' };

/** Does one step of a delivery: asks for a run, or schedules the cleanup of a branch. */
export function createProcessStep(deps: ProcessStepDeps) {
  const { api, callApi, cleanups, logger, retryDelayMs, retryError } = deps;

  async function runStep(
    lock: HeldLock,
    pending: PendingExecution,
    step: DeliveryStep & { type: 'run' },
    state: ExecutionState,
    keep: Keep,
  ): Promise<StepOutcome> {
    const project = pending.config?.project?.value ?? '';
    const workflow = pending.config?.workflow?.value ?? '';
    if (project === '' || workflow === '') {
      return {
        kind: 'failed',
        message: 'the configuration of the hook names no project or no workflow',
      };
    }
    const event = { payload: step.payload, uuid: lock.uuid, parent_workflow: NO_PARENT_WORKFLOW };
    const stillMine = async () => (await keep(state)) === 'ok';
    const requestId = pending.execution.request_id;
    const result = await callApi(
      () => api.runWorkflow({ project, workflow, event, requestId }),
      stillMine,
    );
    if (!result) return { kind: 'left' };
    if (result.ok) {
      const { runNumber } = result.value;
      const { branch } = step;
      deliveryLog(logger, lock, pending).info(
        { project, workflow, branch, run: runNumber },
        'a run was started',
      );
      return { kind: 'ok', runNumber };
    }

    const { failure } = result;
    if (failure.kind === 'unavailable') {
      deps.vcsReadiness.apiWasAway();
      const pauseMs = outagePauseMs(state.outages + 1, retryDelayMs);
      return { kind: 'pause', forApi: true, pauseMs, message: failure.message };
    }
    return state.refusals + 1 >= retryError
      ? { kind: 'failed', message: failure.message }
      : { kind: 'pause', forApi: false, pauseMs: retryDelayMs, message: failure.message };
  }

  return async function processStep(
    lock: HeldLock,
    pending: PendingExecution,
    plan: DeliveryPlan,
    step: DeliveryStep,
    state: ExecutionState,
    keep: Keep,
  ): Promise<StepOutcome> {
    const branchOf = { lock, pending, repository: plan.repository, branch: step.branch ?? '' };
    if (step.type === 'delete-branch') {
      return (await cleanups.schedule(branchOf)) ? { kind: 'ok' } : { kind: 'left' };
    }
    const mayHaveCleanup =
      !isSentAgain(pending, state) && (pending.anyCleanups || state.steps_done > 0);
    if (step.branch !== undefined && !step.isLate && mayHaveCleanup) {
      const cancelled = await cleanups.cancel(branchOf);
      if (cancelled === 'busy' || cancelled === 'unsure') return { kind: cancelled };
      if (cancelled === 'lost') return { kind: 'left' };
    }
    return runStep(lock, pending, step, state, keep);
  };
}

/** Every line about a delivery has its request id. */
export function deliveryLog(logger: Logger, { uuid }: HeldLock, { execution }: PendingExecution) {
  const { request_id, timestamp, replay_of } = execution;
  const of = { requestId: request_id, hook: uuid, execution: timestamp, replay_of };
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) =>
    logger[level]({ ...of, ...fields }, message);
  // Creating a child logger takes longer than writing a line.
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Whether an operator sent this delivery again. */
export function isSentAgain({ execution }: PendingExecution, state: ExecutionState): boolean {
  return execution.replay_of !== undefined || state.retry_steps !== undefined;
}
