export * from './config-error';
export { configFromCommandLine } from './config-from-command-line';
export * from './config-types';
export { checkConfigText, loadConfig, readConfigFile } from './load-config';
export { configReference } from './print/config-reference';
export { printConfig } from './print/print-config';
export { printEnv } from './print/print-env';
export { publicConfig } from './public-config';
export { formatRedisAddress, parseRedisAddress } from './values/redis-address';
