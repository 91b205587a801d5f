import { CdsError } from '@cds/wire';
import type { Request } from 'express';
import type { BitbucketServer } from './bitbucket-server';

/** By the name of `[vcs.servers.NAME]`. */
export type BitbucketServers = ReadonlyMap<string, BitbucketServer>;

/**
 * Finds the server of the route's `{name}`, ignoring case: CDS's own service lowers the names of
 * its configuration, and projects were linked under those.
 * @throws CdsError 404 when there is none
 */
export function findServer(servers: BitbucketServers, req: Request): BitbucketServer {
  const name = String(req.params.name).toLowerCase();
  for (const [known, server] of servers) if (known.toLowerCase() === name) return server;
  throw new CdsError('notFound');
}
