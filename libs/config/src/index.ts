export { ConfigError, type ConfigProblem, formatProblem } from './config-problem';
export { configFromCommandLine } from './config-from-command-line';
export * from './config-types';
export { badConfigExitCode, EXIT_CONFIG, EXIT_USAGE, SUPERVISED } from './exit-codes';
export type { SignatureMode } from './keys/hooks-sections';
export type { ServiceName } from './keys/section';
export type { LogLevel } from './keys/value-types';
export {
  CDS_VERSION_OF_TODAY,
  type CdsGeneration,
  cdsMinor,
  GENERATION_NAMES,
  generationOf,
  isCdsAtLeast,
  KNOWN_CDS_VERSIONS,
  knownCdsVersion,
  takesConsumerTokens,
} from './values/cds-version';
export {
  checkConfigText,
  type ConfigSources,
  loadConfig,
  readConfigFile,
  readConfigFiles,
  secretValues,
  servicesOf,
} from './load-config';
export { readRemoteConfig, type RemoteDocument } from './remote/read-remote-config';
export { REMOTE_OPTIONS, RemoteConfigError, type RemoteOptions } from './remote/remote-sources';
export { configReference } from './print/config-reference';
export { printConfig, printEnv } from './print/print-config';
export { publicConfig } from './public-config';
export type { SecretFile } from './sources/environment';
export { readSecretFile } from './sources/secret-file';
export type { BitbucketServerConfig } from './sources/read-servers';
export { formatRedisAddress } from './values/redis-host';
export { redisFromEnvironment } from './sources/redis-from-environment';
export { whyNoLink, whyUnreachable } from './values/bitbucket-url';
