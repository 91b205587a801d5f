import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '@cds/config';
import type { Logger } from './logs/create-logger';

const EVERY_ADDRESS = ['', '0.0.0.0', '::'];

/**
 * Writes where the service listens into the folder that the variable `HEALTH_FOLDER` names. Images
 * set it: their health check is a shell, which reads no configuration file.
 *
 * @param o.addr as configured; empty means all
 */
export function writeHealthAddress(o: {
  service: ServiceName;
  addr: string;
  port: number;
  logger: Pick<Logger, 'warn'>;
}): void {
  const folder = process.env['HEALTH_FOLDER'];
  if (!folder) return;
  const host = EVERY_ADDRESS.includes(o.addr) ? '127.0.0.1' : o.addr;
  try {
    writeFileSync(join(folder, `cds-${o.service}`), `${host}/${o.port}\n`);
  } catch (err) {
    o.logger.warn(
      { err },
      'cannot write where this service listens: the health check takes the port of the environment',
    );
  }
}
