export {
  action,
  createControlRouter,
  createControls,
  nothing,
  telling,
  type ControlAction,
  type Controls,
  type DoneAction,
} from './control';
export { listenOn, type Listener } from './listener';
export type { LoggedRequest } from './request-log';
export { onlyForHosts, refuseOtherOrigins } from './same-origin';
export { RequestTimeoutError, sendRequest, type IncomingAnswer } from './send-request';
