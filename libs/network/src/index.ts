export { ADDRESS_TIMEOUT_MS, allowSlowConnects } from './connect-timeout';
export { isNeverSent } from './never-sent';
