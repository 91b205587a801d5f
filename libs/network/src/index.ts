export { ADDRESS_TIMEOUT_MS, allowSlowConnects } from './connect-timeout';
export { decoded } from './decoded';
export { isTooComplex } from './json-weight';
export { isNeverSent } from './never-sent';
export { parseUrl } from './parse-url';
export { ForwardingAgent, ProxyError, TunnelAgent } from './proxy-agents';
export {
  type ProxyServer,
  type ProxySettings,
  ProxySettingsError,
  readProxySettings,
} from './proxy-settings';
export { readBounded } from './read-bounded';
export { isUntrusted } from './untrusted';
export { abortable, type DeadlineContext, withTimeout } from './with-timeout';
export {
  createTargetGuard,
  type TargetGuard,
  TargetRefusedError,
  type TargetRules,
} from './target-guard';
