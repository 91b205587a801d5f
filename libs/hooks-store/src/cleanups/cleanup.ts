import { createHash } from 'node:crypto';
import type { HookConfigValue, Task, TaskExecution } from '@cds/wire';
import { timestampOfId, timestampOfMs } from '../clock';
import { configValue } from '../unreadable/read-config';

/** The removal of a deleted branch's runs, as its deletion schedules it. */
export interface NewCleanup {
  id: string;
  /** When to do it (ms). */
  due: number;
  /** Id of the execution with the deletion. */
  accepted: string;
  /** The hook that received it. */
  hook: string;
  /** As they were then; those of the hook's task count as long as it exists. */
  project: string;
  workflow: string;
  /** `workspace/slug` */
  repository: string;
  branch: string;
  /** Request id of the deletion; "" where it was imported. */
  requestId: string;
}

/** A stored one: scheduled, stopped, or failed for good. */
export interface Cleanup extends NewCleanup {
  status: 'waiting' | 'stopped' | 'failed';
  nb_errors: number;
  last_error: string;
  /** After a refusal, no try before (ms). */
  retry_at: number;
  /** Tries in a row without an answer of the API. */
  outages: number;
  /** When it failed for good (ms), else 0. */
  processed: number;
  /** The API was called, and nobody knows yet what it did. */
  unsure: boolean;
}

/**
 * The id of all cleanups that remove the same runs. The API knows them by workflow and branch,
 * whatever the repository is called; all three count to the letter.
 */
export function cleanupId(of: Pick<Cleanup, 'project' | 'workflow' | 'branch'>): string {
  const names = JSON.stringify([of.project, of.workflow, of.branch]);
  return createHash('sha256').update(names).digest('hex');
}

/** Whether a task's uuid may be that of a cleanup. */
export function isCleanupId(uuid: string): boolean {
  return /^[0-9a-f]{64}$/.test(uuid);
}

/** The latest moment that JavaScript knows. */
const LATEST_MS = 8.64e15;

/** A count or a time; undefined for anything else. */
function countOrMoment(text: string | undefined): number | undefined {
  const number = Number(text || NaN);
  return number >= 0 && number <= LATEST_MS ? number : undefined;
}

function statusOf(status: string | undefined): Cleanup['status'] {
  return status === 'stopped' || status === 'failed' ? status : 'waiting';
}

/**
 * From the hash in Redis; undefined without one. A cleanup without a readable time counts as
 * failed: runs are not removed on a guess.
 */
export function parseCleanup(id: string, hash: Record<string, string>): Cleanup | undefined {
  if (!hash.due) return undefined;
  const due = countOrMoment(hash.due);
  return {
    id,
    status: due === undefined ? 'failed' : statusOf(hash.status),
    due: due ?? 0,
    accepted: /^\d{1,16}$/.test(hash.accepted ?? '') ? (hash.accepted ?? '') : '0',
    hook: hash.hook ?? '',
    project: hash.project ?? '',
    workflow: hash.workflow ?? '',
    repository: hash.repository ?? '',
    branch: hash.branch ?? '',
    nb_errors: countOrMoment(hash.nb_errors) ?? 0,
    last_error:
      due === undefined
        ? 'its record in Redis does not say when it is due: remove the runs by hand, then this task'
        : (hash.last_error ?? ''),
    retry_at: countOrMoment(hash.retry_at) ?? 0,
    outages: countOrMoment(hash.outages) ?? 0,
    processed: countOrMoment(hash.processed) ?? 0,
    requestId: hash.request_id ?? '',
    unsure: hash.under_way !== undefined || hash.unsure !== undefined,
  };
}

function configOf(cleanup: Cleanup): Record<string, HookConfigValue> {
  return {
    project: configValue(cleanup.project),
    workflow: configValue(cleanup.workflow),
    branch: configValue(cleanup.branch),
    repository: configValue(cleanup.repository),
  };
}

/** The cleanup as an execution of CDS, with its time and last error. */
export function cleanupExecution(cleanup: Cleanup): TaskExecution {
  const failed = cleanup.status === 'failed';
  return {
    uuid: cleanup.id,
    type: 'BranchDeletion',
    timestamp: timestampOfId(cleanup.accepted),
    nb_errors: cleanup.nb_errors,
    ...(cleanup.last_error ? { last_error: cleanup.last_error } : {}),
    processing_timestamp: failed ? timestampOfMs(cleanup.processed) : 0,
    workflow_run: 0,
    config: configOf(cleanup),
    scheduled_task: { date_scheduled_execution: new Date(cleanup.due).toISOString() },
    status: failed ? 'DONE' : 'SCHEDULED',
  };
}

/** The cleanup as a task of CDS, with its one execution. */
export function cleanupTask(cleanup: Cleanup): Task {
  return {
    uuid: cleanup.id,
    type: 'BranchDeletion',
    config: configOf(cleanup),
    stopped: cleanup.status === 'stopped',
    executions: [cleanupExecution(cleanup)],
    nb_executions_total: 1,
    nb_executions_todo: cleanup.status === 'failed' ? 0 : 1,
  };
}
