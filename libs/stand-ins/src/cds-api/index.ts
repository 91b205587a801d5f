export type {
  BranchRemoval,
  RegisteredService,
  VcsLink,
  VcsProject,
  Workflow,
  WorkflowRun,
} from './model';
export { CDS_VERSIONS, type CdsVersion } from './generations/generation';
export { CALLBACK_PATH } from './oauth-link';
export type { OutgoingHookOrder, OutgoingHookRun } from './outgoing-hooks';
export { ServiceCallError } from './service-caller';
export type { CdsApiOptions, CdsApiStandIn } from './stand-in';
export { startCdsApi } from './start-cds-api';
