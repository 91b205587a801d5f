import { type ConfigSources, loadConfig } from '@cds/config';

/**
 * The `urlPublic` of `hooks`, where the configuration of `vcs` has it. Without it `vcs` learns it
 * from the first webhook that the API creates.
 */
export function configuredHooksUrl(
  sources: ConfigSources,
  env: NodeJS.ProcessEnv,
): string | undefined {
  try {
    return loadConfig({ services: ['hooks'], ...sources, env }).hooks?.urlPublic;
  } catch {
    return undefined;
  }
}
