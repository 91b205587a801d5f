export { buildInfo, versionInfo } from './build-info';
export { formatGoDuration } from './format-go-duration';
export { requestIdOf } from './http/common-headers';
export { createFastPathRoute, type FastPathHandler } from './http/fast-path-route';
export { type Callers } from './http/create-guard';
export { createHttpApp, createPublicApp, type HttpAppDeps } from './http/create-http-app';
export { createErrorMiddleware } from './http/create-error-middleware';
export { createRouter, type Router } from './http/create-router';
export { handle } from './http/handle';
export { limitHeapGrowth } from './limit-heap-growth';
export { maxEntries } from './max-entries';
export { limitStrangers } from './http/limit-strangers';
export { writeHealthAddress } from './health-address';
export { listen, type HttpServer, type ListenOptions } from './http/listen';
export { sendJson, sendJsonList } from './http/send-json';
export { type ServiceDescription } from './openapi/build-document';
export { firstOf, type RouteHandler, type RouteInput, withCommon } from './openapi/route';
export { createLogger, forwardLines, type Logger } from './logs/create-logger';
export { logConsole } from './logs/log-console';
export {
  countFromZero,
  createMetrics,
  type Metrics,
  type ProcessMetrics,
} from './metrics/create-metrics';
export { createRedisMetrics } from './metrics/redis-metrics';
export { createMonitoring, type Monitoring, monitoringLine } from './create-monitoring';
export { createReadiness, type Readiness } from './create-readiness';
export {
  createRegistration,
  type Registration,
  type RegistrationDeps,
} from './registration/create-registration';
export type { SignedRequest } from './registration/http-signature';
export type { ConsumerRefusedError } from './registration/token-refusal';
export { askSeldom } from './registration/ask-seldom';
export { createUiUrl } from './registration/ui-url';
export { createKnownHashes, type KnownHashes, whileOurs } from './registration/known-hashes';
export { takeSecrets } from './secrets/take-secrets';
export { type TakeSecret, watchSecretFiles } from './secrets/watch-secret-files';
export { runUntilSignal } from './run-until-signal';
