import type { ProxySettings } from '@cds/network';
import type { ConfigProblem } from './config-problem';
import type { LogLevel } from './keys/value-types';
import type { SecretFile } from './sources/environment';
import type { readHooks, readVcs } from './sources/read-services';

interface Shared {
  log: { level: LogLevel };
  /** Undefined where the environment names none. */
  proxies?: ProxySettings;
  /** Undefined where no secret is read from a file. */
  secretFiles?: readonly SecretFile[];
}
/** All that `vcs` reads, as `src/keys` declares it. */
export type VcsConfig = ReturnType<typeof readVcs> & Shared;
/** All that `hooks` reads, as `src/keys` declares it. */
export type HooksConfig = ReturnType<typeof readHooks> & Shared;

export type RedisConfig = VcsConfig['redis'];
/** Bounds of the calls of outgoing webhooks. */
export type OutgoingConfig = HooksConfig['outgoing'];

export interface LoadedServices {
  vcs?: VcsConfig;
  hooks?: HooksConfig;
}
export interface LoadedConfig extends LoadedServices {
  warnings: ConfigProblem[];
}
