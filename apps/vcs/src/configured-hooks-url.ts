import { parseArgs } from 'node:util';
import { loadConfig } from '@cds/config';

/**
 * `urlPublic` of `hooks`, where the configuration that `vcs` was started with holds that service
 * too, as one file for both does, or two files. Undefined where it does not: `vcs` then learns it
 * from the first webhook that the API puts in force.
 */
export function configuredHooksUrl(args: string[], env: NodeJS.ProcessEnv): string | undefined {
  try {
    const { values } = parseArgs({ args, options: { config: { type: 'string', multiple: true } } });
    return loadConfig({ services: ['hooks'], files: values.config, env }).hooks?.urlPublic;
  } catch {
    return undefined;
  }
}
