export { ApiError, isApiError, type ApiErrorKind } from './api-error';
export { CdsApiClient, type CdsApiOptions, type PolledHook } from './cds-api-client';
export type { RegistrationRequest, ServiceIdentity } from './registration-client';
export { FollowingApiClient } from './following-api-client';
export {
  type AskForSession,
  type HeldSession,
  secretOf,
  type SharedSession,
} from './shared-session';
export type { LeftOutHook } from './listed-hooks';
export type { PolledEvents, PolledPush } from './polled-events';
export type { HookRunRef, WorkflowRef } from './paths';
export { RunRemover } from './run-remover';
export type { ApiSession } from './read-session';
export type { BuildParameter, RunOfHook } from './answer-schemas';
