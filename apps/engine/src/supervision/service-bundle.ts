import type { ServiceName } from '@cds/config';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error';

/** The bundle of a service: in the engine's folder when deployed, beside it after a build. */
export function serviceBundle(service: ServiceName, home: string): string {
  const candidates = [
    join(home, 'services', service, 'main.js'),
    join(home, '..', service, 'main.js'),
  ];
  const bundle = candidates.find((file) => existsSync(file));
  if (bundle) return bundle;
  throw new CommandError(
    `the ${service} service is not installed with this command: ${candidates[0]} is missing. Build it with \`npx nx build engine\`.`,
  );
}
