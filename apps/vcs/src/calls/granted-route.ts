import type { BitbucketClient } from '@cds/bitbucket';
import { handle, type Logger } from '@cds/service';
import type { Request, RequestHandler } from 'express';
import { NEW_ACCESS_TOKEN_HEADER, readAccessHeaders } from '../authorization/access-headers';
import type { BitbucketServer } from '../bitbucket-server';
import { bitbucketErrorToCds, type MissingKind } from './bitbucket-errors';
import { withRequestDeadline, type DeadlineContext } from './deadline';
import { findServer, type BitbucketServers } from './find-server';
import { deadlinePassed, within } from './within';

/** What all routes share. */
export interface RouteDeps {
  servers: BitbucketServers;
  logger: Logger;
  /** Milliseconds that a route may take. */
  deadlineMs: number;
}

/** A request of the API on behalf of a linked project. */
export interface GrantedCall {
  req: Request;
  server: BitbucketServer;
  /** Calls Bitbucket with the project's tokens. */
  bitbucket: BitbucketClient;
  /** Names the project's grant, so that nothing of one project is remembered for another. */
  grant: string;
  ctx: DeadlineContext;
}

/**
 * A route that needs the project's tokens: reads them, bounds the time, turns Bitbucket's errors into CDS's, and tells the
 * API of a new access token. The API reads that on success only.
 *
 * @param missing what a 404 of Bitbucket means here
 */
export function grantedRoute(
  deps: RouteDeps,
  missing: MissingKind,
  work: (call: GrantedCall) => Promise<unknown>,
): RequestHandler {
  return handle(async (req, res) => {
    const server = findServer(deps.servers, req);
    const given = readAccessHeaders(req.headers);
    const tokens = server.grants.tokensFor(given);
    const bitbucket = server.connect(tokens);
    try {
      const answer = await withRequestDeadline(req, deps.deadlineMs, (ctx) => {
        const call = { req, server, bitbucket, grant: tokens.key, ctx };
        return within(work(call), ctx.signal, deadlinePassed);
      });
      if (tokens.lastUsed !== undefined && tokens.lastUsed !== given.accessToken)
        res.setHeader(NEW_ACCESS_TOKEN_HEADER, tokens.lastUsed);
      return answer;
    } catch (error) {
      throw bitbucketErrorToCds(error, missing);
    }
  });
}
