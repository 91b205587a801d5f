import type { BuildParameter, CdsApiClient, HookRunRef } from '@cds/api-client';
import type { StoredExecution } from '@cds/hooks-store';
import type { OutgoingCallback } from '@cds/wire';
import type { Slot } from './concurrency-limiter';

/** What is reported of a call. `done`: now where it is not given. */
export type CallResult = Pick<OutgoingCallback, 'status' | 'log' | 'workflow_run_number'> &
  Partial<Pick<OutgoingCallback, 'done'>>;

export type HookCallOutcome =
  | { kind: 'over'; result: CallResult }
  /** `final`: another try would fail in the same way. */
  | { kind: 'failed'; message: string; final: boolean; log?: string }
  /** The run does not wait for the hook any more: nothing is called or reported. */
  | { kind: 'nothing'; reason: string }
  /** The host has no slot: nothing was called. */
  | { kind: 'host is full' };

/** One try of an outgoing hook. */
export interface HookCall {
  ref: HookRunRef;
  execution: StoredExecution;
  /** Of the run, without its secrets. */
  parameters: readonly BuildParameter[];
  /** Aborted when the service must end now. */
  signal: AbortSignal;
  /** Calls the API. @throws ApiFailedError */
  ask<T>(call: (api: CdsApiClient) => Promise<T>): Promise<T>;
  /** Does work that may crash or block this process. */
  attempt<T>(work: () => T | Promise<T>): Promise<T>;
  /** Call before a target is called. */
  takeHost: Slot['takeHost'];
  /** The variables with secrets. @throws NotYetError when the API does not show the hook yet */
  details(): Promise<BuildParameter[]>;
}

/** @throws ApiFailedError */
export type CallHook = (call: HookCall) => Promise<HookCallOutcome>;

export function refOf({ config }: StoredExecution): HookRunRef {
  const of = (key: string): string => config?.[key]?.value ?? '';
  return {
    project: of('project'),
    workflow: of('workflow'),
    number: Number(of('Number')),
    hookRun: of('HookRunID'),
  };
}
