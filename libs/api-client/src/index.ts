export { ApiError, isApiError, type ApiErrorKind } from './api-error';
export {
  CdsApiClient,
  type CdsApiOptions,
  type RegistrationRequest,
  type WorkflowRef,
} from './cds-api-client';
