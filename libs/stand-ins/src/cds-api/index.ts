export { statusName } from './build-event';
export type { BranchRemoval, RegisteredService, VcsLink, Workflow, WorkflowRun } from './model';
export { CALLBACK_PATH } from './oauth-link';
export type { OutgoingHookOrder, OutgoingHookRun } from './outgoing-hooks';
export { ServiceCallError } from './service-caller';
export type { CdsApiOptions, CdsApiStandIn } from './stand-in';
export { startCdsApi } from './start-cds-api';
