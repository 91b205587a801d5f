import type { BuildParameter, CdsApiClient, HookRunRef } from '@cds/api-client';
import type { StoredExecution } from '@cds/hooks-store';
import type { OutgoingCallback } from '@cds/wire';
import type { Slot } from './concurrency-limiter';

/** What came of executing an outgoing hook. */
export type HookCallOutcome =
  /** It is over, and the API is to be told. */
  | { kind: 'over'; callback: OutgoingCallback; error?: string }
  /** `final`: another try would end in the same way. */
  | { kind: 'failed'; message: string; final: boolean; log?: string }
  /** Nothing is to be done any more, and nobody waits to hear of it. */
  | { kind: 'nothing'; reason: string }
  /** As many as may be are calling the host: nothing was called, and it is to be tried again. */
  | { kind: 'host is full' };

/** One try of an outgoing hook. */
export interface HookCall {
  ref: HookRunRef;
  execution: StoredExecution;
  /** Of the run, as the API shows them to everyone. */
  parameters: readonly BuildParameter[];
  /** When this try began (RFC 3339). */
  start: string;
  /** Aborted when the service must end now. */
  signal: AbortSignal;
  /** Calls the API as this service; its failures are told by {@link ApiFailedError}. */
  ask<T>(call: (api: CdsApiClient) => Promise<T>): Promise<T>;
  /** Does what may kill or freeze this process; see {@link SavedProgress}. */
  attempt<T>(work: () => T | Promise<T>): Promise<T>;
  /** To be asked before a target is called; see {@link Slot}. */
  takeHost: Slot['takeHost'];
  /**
   * The variables that the API shows to the hook alone. @throws NotYetError when it does not show
   * the hook yet
   */
  details(): Promise<BuildParameter[]>;
}

/** Executes one try of a hook of some kind. @throws ApiFailedError */
export type CallHook = (call: HookCall) => Promise<HookCallOutcome>;

/** The node of the workflow that the hook is, under the name that the callback gives it. */
export function nodeOf({ config }: StoredExecution): number {
  return Number(config?.HookID?.value ?? 0);
}

/** Where in CDS the run of a hook is. */
export function refOf({ config }: StoredExecution): HookRunRef {
  const of = (key: string): string => config?.[key]?.value ?? '';
  return {
    project: of('project'),
    workflow: of('workflow'),
    number: Number(of('Number')),
    hookRun: of('HookRunID'),
  };
}
