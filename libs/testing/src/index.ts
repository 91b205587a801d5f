export { describeShared, sharedPath } from './shared-path';
export { anyText } from './any-text';
export { awakeTime } from './awake-time';
export { bundleProgram, bundlePrograms } from './bundle-programs';
export { cpuTime, growth, LINEAR } from './cpu-time';
export { disconnect } from './disconnect';
export { freePort } from './free-port';
export { fuzzRuns } from './fuzz-runs';
export { hostileBytes, hostileJson, NASTY_JSON } from './hostile-json';
export { referenceHooks, type ReferenceHooks } from './reference-hooks';
export { provesNothingHappensFor, takesTime } from './pauses';
export { startHostileClient, type Attack, type HostileClient } from './start-hostile-client';
export { startHostileServer, type HostileServer } from './hostile-server';
export { captureLogger, silentLogger, type CapturedLog } from './loggers';
export { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './start-otlp-receiver';
export { startSlowListener, type SlowListener } from './start-slow-listener';
export { startProcess, type RunningProcess, type ProcessOptions } from './start-process';
export { rabbitmqServerScript, startTestRabbitmq, type TestRabbitmq } from './start-test-rabbitmq';
export { startTestProxy, type TestProxy, type TestProxyOptions } from './start-test-proxy';
export {
  startTestConsul,
  startTestVault,
  type TestConsul,
  type TestVault,
} from './start-test-stores';
export { startTestRedis, type TestRedis, type TestRedisOptions } from './start-test-redis';
export {
  createTestCa,
  encryptedKey,
  type TestCa,
  type TestCertificate,
  type TestCertificateOptions,
} from './test-certificates';
export { TLS_CERTIFICATE, TLS_KEY } from './tls-certificate';
export { waitFor, type WaitOptions } from './wait-for';
