import type { HookEvent, NodeHook, ServiceRegistration, VersionInfo } from '@cds/wire';

export interface CdsApiOptions {
  url: string;
  insecure: boolean;
  requestTimeoutSeconds: number;
  /** Milliseconds a run may take, 60,000 when not given. */
  runTimeoutMs?: number;
}
export interface WorkflowRef {
  project: string;
  workflow: string;
}
export type RegistrationRequest = Omit<ServiceRegistration, 'hash'>;
export type ApiErrorKind = 'refused' | 'unauthorized' | 'unavailable';

export declare class CdsApiClient {
  constructor(options: CdsApiOptions);
  get hash(): string | undefined;
  register(registration: RegistrationRequest, signal?: AbortSignal): Promise<ServiceRegistration>;
  workflowHooks(signal?: AbortSignal): Promise<NodeHook[]>;
  runWorkflow(run: WorkflowRef & { event: HookEvent }): Promise<{ runNumber: number }>;
  deleteBranchRuns(branch: WorkflowRef & { branch: string }): Promise<void>;
  version(): Promise<VersionInfo>;
  onSuccess(listener: () => void): () => void;
  close(): void;
}
export declare class ApiError extends Error {
  kind: ApiErrorKind;
  status?: number;
  cdsId?: number;
}
export declare function isApiError(error: unknown): error is ApiError;
