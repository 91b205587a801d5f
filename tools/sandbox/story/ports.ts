import { createServer } from 'node:net';
import { freePort } from '@cds/testing';

/**
 * Where everything listens when nothing else does: CDS's own ports, 8090 for Bitbucket, and the CDS
 * UI's for the page.
 */
export const USUAL_PORTS = {
  api: 8081,
  hooks: 8083,
  vcs: 8084,
  bitbucket: 8090,
  redis: 6390,
  page: 4200,
};
export type Ports = typeof USUAL_PORTS;

/** The usual ports where they are free, else free ones; only free ones if `anywhere`. */
export async function choosePorts({ anywhere }: { anywhere: boolean }): Promise<Ports> {
  const ports = { ...USUAL_PORTS };
  for (const name of Object.keys(ports) as (keyof Ports)[])
    if (anywhere || !(await isFree(ports[name]))) ports[name] = await freePort();
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
