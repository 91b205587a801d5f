export { describeShared, sharedPath } from './shared-path';
export { freePort } from './free-port';
export { captureLogger, silentLogger, type CapturedLog } from './loggers';
export { startProcess, type RunningProcess, type ProcessOptions } from './start-process';
export { startTestRedis, type TestRedis, type TestRedisOptions } from './start-test-redis';
export { waitFor, type WaitOptions } from './wait-for';
