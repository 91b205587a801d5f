export { ApiError, isApiError, type ApiErrorKind } from './api-error';
export {
  CdsApiClient,
  type CdsApiOptions,
  type HookRunRef,
  type PolledHook,
  type RegistrationRequest,
  type WorkflowRef,
} from './cds-api-client';
export type { LeftOutHook } from './listed-hooks';
export type { PolledEvents, PolledPush } from './polled-events';
export type { BuildParameter, RunOfHook } from './answer-schemas';
