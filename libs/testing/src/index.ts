export { describeShared, sharedPath } from './shared-path';
export { freePort } from './free-port';
export { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs';
export { hostileBytes, hostileJson, NASTY_JSON } from './hostile-json';
export { startHostileServer, type HostileServer } from './hostile-server';
export { captureLogger, silentLogger, type CapturedLog } from './loggers';
export { startProcess, type RunningProcess, type ProcessOptions } from './start-process';
export { startTestRedis, type TestRedis, type TestRedisOptions } from './start-test-redis';
export { waitFor, type WaitOptions } from './wait-for';
