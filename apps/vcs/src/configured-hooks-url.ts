import { parseArgs } from 'node:util';
import { loadConfig } from '@cds/config';

/**
 * The `urlPublic` of `hooks`, where the configuration of `vcs` has it. Without it `vcs` learns it
 * from the first webhook that the API creates.
 */
export function configuredHooksUrl(args: string[], env: NodeJS.ProcessEnv): string | undefined {
  try {
    const { values } = parseArgs({ args, options: { config: { type: 'string', multiple: true } } });
    return loadConfig({ services: ['hooks'], files: values.config, env }).hooks?.urlPublic;
  } catch {
    return undefined;
  }
}
