import type {
  ConfigProblem,
  HooksConfig,
  LoadedConfig,
  ServiceName,
  VcsConfig,
} from './config-types';

export * from './config-error';
export * from './config-types';

export declare function loadConfig(o: {
  services: ServiceName[];
  file?: string;
  env: NodeJS.ProcessEnv;
}): LoadedConfig;
export declare function checkConfigText(text: string): ConfigProblem[];
export declare function printConfig(o: {
  services: ServiceName[];
  token?: string;
  omitLog?: boolean;
}): string;
export declare function printEnv(o: { services: ServiceName[]; token?: string }): string;
export declare function configReference(): string;
export declare function publicConfig(
  service: ServiceName,
  config: VcsConfig | HooksConfig,
): Record<string, unknown>;
