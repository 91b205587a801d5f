import type { ServiceName } from '@cds/config';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error';

/** The bundle of a service, in the folder of the engine's. */
export function serviceBundle(service: ServiceName, home: string): string {
  const bundle = join(home, 'services', service, 'main.js');
  if (existsSync(bundle)) return bundle;
  throw new CommandError(
    `the ${service} service is not installed with this command: ${bundle} is missing. Install the package of the engine again.`,
  );
}
