import { CdsError } from '@cds/wire';
import type { Request } from 'express';
import { readAccessHeaders } from '../credentials/access-headers';
import { readProjectHeaders } from '../credentials/project-headers';
import type { BitbucketServer } from './bitbucket-server';
import type { OAuthServer } from './oauth-server';
import type { CalledProject, ProjectServers } from './project-servers';

/** Every Bitbucket that is called: those of the configuration, and those of VCS projects. */
export interface Servers {
  /** By the name of `[vcs.servers.NAME]`. */
  configured: ReadonlyMap<string, OAuthServer>;
  ofProjects: ProjectServers;
}

/**
 * Finds the configured server of the route's `{name}`, ignoring case: CDS's own service lowers the
 * names of its configuration, and projects were linked under those.
 * @throws CdsError 404 when there is none
 */
export function findOAuthServer({ configured }: Servers, req: Request): OAuthServer {
  const name = String(req.params.name).toLowerCase();
  for (const [known, server] of configured) if (known.toLowerCase() === name) return server;
  throw new CdsError('notFound');
}

/**
 * The server of a request about a server: that of its VCS project, else the configured one.
 * @throws CdsError 404 when there is none
 */
export function findServer(servers: Servers, req: Request): BitbucketServer {
  const project = readProjectHeaders(req.headers);
  return project ? servers.ofProjects.of(project).server : findOAuthServer(servers, req);
}

/**
 * The server and the credential of a request on behalf of a project: of its VCS project where it
 * has one, else the OAuth grant of a linked project.
 * @throws CdsError 401 without a credential, 404 for an unknown server or type
 */
export function findCredential(servers: Servers, req: Request): CalledProject {
  const project = readProjectHeaders(req.headers);
  if (project) return servers.ofProjects.of(project);
  if (servers.configured.size === 0) readAccessHeaders(req.headers);
  const server = findOAuthServer(servers, req);
  return { server, credential: server.grants.tokensFor(readAccessHeaders(req.headers)) };
}
