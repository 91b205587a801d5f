import type { AccessTokenSource, BitbucketClient, RepoRef } from '@cds/bitbucket';
import { type DeadlineContext, abortable } from '@cds/network';
import { handle, type Logger, type RouteHandler, type RouteInput, withCommon } from '@cds/service';
import type { Request } from 'express';
import { ACCESS_HEADERS, NEW_ACCESS_TOKEN_HEADER } from '../credentials/access-headers';
import { acceptedToken } from '../credentials/call-credential';
import { PROJECT_HEADERS } from '../credentials/project-headers';
import type { BitbucketServer } from './bitbucket-server';
import { BITBUCKET_ERRORS, bitbucketErrorToCds, type MissingKind } from '../http/bitbucket-errors';
import { deadlinePassed, withRequestDeadline } from '../http/request-deadline';
import { findCredential, type Servers } from './find-server';
import type { CalledProject } from './project-servers';
import type { RepeatedCalls } from './repeated-calls';

/** What all routes need. */
export interface RouteDeps {
  servers: Servers;
  repeatedCalls: RepeatedCalls;
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
  /** Names the credential. */
  grant: string;
  /** That token, which is not renewed. */
  tokens: AccessTokenSource;
}

/** A request of the API on behalf of a project. */
export interface GrantedCall {
  req: Request;
  server: BitbucketServer;
  /** Calls Bitbucket with the project's credential. */
  bitbucket: BitbucketClient;
  /** The same without coalescing: for what has to be true at this moment. */
  current: BitbucketClient;
  /** Names the project's credential, so that no answer of one project is cached for another. */
  grant: string;
  /** The repository that the route names, '' for none. A route that finds it elsewhere sets it. */
  repo: RepoRef;
  /** The call so far; undefined before a call of Bitbucket, or when it is about no repository. */
  answered(): AnsweredCall | undefined;
  ctx: DeadlineContext;
}

/**
 * Makes the handler of a route that needs the project's credential: reads it, bounds the time, maps
 * Bitbucket's errors, answers repeats of a call from memory, and returns a new access token to the
 * API, which reads it on success only.
 * @param missing the error for a 404 of Bitbucket
 * @param work given the call and the functions that read its request
 * @param options `alone`: the answer is made of reads only, streamed, and serves no other caller
 */
export function grantedRoute<P, Q, B>(
  deps: RouteDeps,
  missing: MissingKind,
  work: (call: GrantedCall, input: RouteInput<P, Q, B>) => Promise<unknown>,
  { alone }: { alone?: boolean } = {},
): (input: RouteInput<P, Q, B>) => RouteHandler {
  const handlerOf = (input: RouteInput<P, Q, B>) =>
    handle(async (req, res) => {
      const { server, credential } = findCredential(deps.servers, req);
      const asked = { req, res, sender: credential.sender, alone };
      const done = await deps.repeatedCalls.run(asked, async () => {
        try {
          return await withRequestDeadline(req, deps.deadlineMs, async (ctx) => {
            const reads = req.method === 'GET' || alone === true;
            const call = newCall(req, { server, credential, reads }, ctx);
            const answer = await abortable(work(call, input), ctx.signal, deadlinePassed);
            const { newAccessToken } = credential;
            return { answer, newAccessToken, answered: call.answered() };
          });
        } catch (error) {
          throw bitbucketErrorToCds(error, missing, credential.adviceOn);
        }
      });
      const { answer, newAccessToken, answered } = done;
      if (answered && deps.onAnswered)
        // After the answer, so that no caller waits for it.
        res.once('finish', () => deps.onAnswered?.(answered));
      if (newAccessToken !== undefined) res.setHeader(NEW_ACCESS_TOKEN_HEADER, newAccessToken);
      return answer;
    });
  const common = {
    headers: { ...PROJECT_HEADERS, ...ACCESS_HEADERS },
    answerHeaders: {
      [NEW_ACCESS_TOKEN_HEADER]: {
        description: 'A new access token, in plain text, when another one was used than was sent.',
      },
    },
    // `notFound` is for an unknown VCS server.
    errors: ['notFound', missing, ...BITBUCKET_ERRORS] as const,
  };
  return (input) => withCommon(common, handlerOf(input));
}

function newCall(
  req: Request,
  { server, credential, reads }: CalledProject & { reads: boolean },
  ctx: DeadlineContext,
): GrantedCall {
  const { owner = '', repo = '' } = req.params;
  const current = server.connect(credential);
  const grant = credential.key;
  const call: GrantedCall = {
    req,
    server,
    // A write decides on what it reads first, so that must be current.
    bitbucket: reads ? server.connectToRead(credential) : current,
    current,
    grant,
    ctx,
    repo: { workspace: String(owner), slug: String(repo) },
    answered() {
      const tokens = acceptedToken(credential);
      const { repo: repository } = call;
      return tokens && repository.slug ? { server, repository, grant, tokens } : undefined;
    },
  };
  return call;
}
