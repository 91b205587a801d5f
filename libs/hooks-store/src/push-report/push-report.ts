import type { PastExecution } from '../lists/execution-history';
import type { HookQueueState } from '../lists/hook-queue-state';
import type { StoredRefusal } from '../refusals/refusal-store';

/** A build status that Bitbucket has of a commit. */
export interface CommitStatus {
  key: string;
  state: string;
  description: string;
  /** Of the run; 0 where CDS sends none. */
  workflow_run: number;
  /** ISO 8601; "" where it is not known. */
  sent_at: string;
}

/** One delivery, or something else that asked for runs, and what became of it. */
export type PushEvent =
  | (PastExecution & {
      kind: 'execution';
      /** By commit; null where the configuration has no vcs, or its Redis is away. */
      statuses: Record<string, CommitStatus[]> | null;
    })
  | (StoredRefusal & { kind: 'refusal' });

/** The scheduled removal of a branch's runs; `due` is ISO 8601. */
export type ReportedCleanup = Record<'uuid' | 'branch' | 'status' | 'due' | 'last_error', string>;

/** All that is known of the pushes that one hook was told of. */
export interface HookReport {
  uuid: string;
  type: string;
  project: string;
  workflow: string;
  repository: string;
  stopped: boolean;
  queue: HookQueueState;
  /** The newest first. */
  events: PushEvent[];
  cleanups: ReportedCleanup[];
}

/** When it was accepted or refused (ms). */
export function timeOf(event: PushEvent): number {
  if (event.kind === 'refusal') return event.at;
  return Date.parse(event.accepted_at) || event.timestamp / 1e6;
}
