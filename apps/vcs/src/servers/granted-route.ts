import type { BitbucketClient, RepoRef } from '@cds/bitbucket';
import { type DeadlineContext, abortable } from '@cds/network';
import { handle, type Logger, withCommon } from '@cds/service';
import type { Request, RequestHandler } from 'express';
import {
  ACCESS_HEADERS,
  NEW_ACCESS_TOKEN_HEADER,
  readAccessHeaders,
} from '../credentials/access-headers';
import type { GrantTokens } from '../credentials/grant-tokens';
import type { BitbucketServer } from './bitbucket-server';
import { BITBUCKET_ERRORS, bitbucketErrorToCds, type MissingKind } from '../http/bitbucket-errors';
import { deadlinePassed, withRequestDeadline } from '../http/request-deadline';
import { findServer, type BitbucketServers } from './find-server';
import { repoOf } from '../http/repository-ref';

/** What all routes need. */
export interface RouteDeps {
  servers: BitbucketServers;
  logger: Logger;
  /** Milliseconds that a route may take. */
  deadlineMs: number;
  /** Called after a successful answer about a repository; it must not throw. */
  onAnswered?: (call: AnsweredCall) => void;
}

/** A successful call: Bitbucket accepted this token just now. */
export interface AnsweredCall {
  server: BitbucketServer;
  repository: RepoRef;
  accessToken: string;
}

/** A request of the API on behalf of a linked project. */
export interface GrantedCall {
  req: Request;
  server: BitbucketServer;
  /** Calls Bitbucket with the project's tokens. */
  bitbucket: BitbucketClient;
  /** The same without coalescing: for what has to be true at this moment. */
  current: BitbucketClient;
  /** Names the project's grant, so that no answer of one project is cached for another. */
  grant: string;
  /** The repository that the route names. A route that finds it elsewhere sets it. */
  repository?: RepoRef;
  /** The call so far; undefined before a call of Bitbucket, or when it is about no repository. */
  answered(): AnsweredCall | undefined;
  ctx: DeadlineContext;
}

/**
 * A route that needs the project's tokens: reads them, bounds the time, maps Bitbucket's errors,
 * and returns a new access token to the API, which reads it on success only.
 * @param missing the error for a 404 of Bitbucket
 */
export function grantedRoute(
  deps: RouteDeps,
  missing: MissingKind,
  work: (call: GrantedCall) => Promise<unknown>,
): RequestHandler {
  const handler = handle(async (req, res) => {
    const server = findServer(deps.servers, req);
    const given = readAccessHeaders(req.headers);
    const tokens = server.grants.tokensFor(given);
    try {
      const { answer, call } = await withRequestDeadline(req, deps.deadlineMs, async (ctx) => {
        const call = newCall(req, server, tokens, ctx);
        return { call, answer: await abortable(work(call), ctx.signal, deadlinePassed) };
      });
      const answered = call.answered();
      if (answered && deps.onAnswered)
        // After the answer, so that no caller waits for it.
        res.once('finish', () => deps.onAnswered?.(answered));
      if (tokens.lastUsed !== undefined && tokens.lastUsed !== given.accessToken)
        res.setHeader(NEW_ACCESS_TOKEN_HEADER, tokens.lastUsed);
      return answer;
    } catch (error) {
      throw bitbucketErrorToCds(error, missing);
    }
  });
  return withCommon(
    {
      headers: ACCESS_HEADERS,
      answerHeaders: {
        [NEW_ACCESS_TOKEN_HEADER]: {
          description:
            'A new access token, in plain text, when another one was used than was sent.',
        },
      },
      // `notFound` is for an unknown VCS server.
      errors: ['notFound', missing, ...BITBUCKET_ERRORS],
    },
    handler,
  );
}

function newCall(
  req: Request,
  server: BitbucketServer,
  tokens: GrantTokens,
  ctx: DeadlineContext,
): GrantedCall {
  const { owner, repo } = req.params;
  const current = server.connect(tokens);
  const call: GrantedCall = {
    req,
    server,
    // A write decides on what it reads first, so that must be current.
    bitbucket: req.method === 'GET' ? server.connectToRead(tokens) : current,
    current,
    grant: tokens.key,
    ctx,
    ...(owner !== undefined && repo !== undefined && { repository: repoOf(req) }),
    answered() {
      const { lastUsed: accessToken } = tokens;
      const { repository } = call;
      return accessToken !== undefined && repository
        ? { server, repository, accessToken }
        : undefined;
    },
  };
  return call;
}
