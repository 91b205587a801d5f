import { CdsError } from '@cds/wire';
import type { Request } from 'express';
import type { BitbucketServer } from '../bitbucket-server';

/** By the name of `[vcs.servers.NAME]`. */
export type BitbucketServers = ReadonlyMap<string, BitbucketServer>;

/** The server that the route's `{name}` names. @throws CdsError 404 when there is none. */
export function findServer(servers: BitbucketServers, req: Request): BitbucketServer {
  const server = servers.get(String(req.params.name));
  if (!server) throw new CdsError('notFound');
  return server;
}
