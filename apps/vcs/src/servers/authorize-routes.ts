import { randomBytes } from 'node:crypto';
import { DeadGrantError } from '@cds/bitbucket';
import { handle, type Router } from '@cds/service';
import {
  CdsError,
  type VcsAuthorization,
  vcsAuthorizationSchema,
  type VcsAuthorize,
  vcsAuthorizeSchema,
} from '@cds/wire';
import * as z from 'zod';
import { tokenErrorToCds } from '../http/bitbucket-errors';
import { findOAuthServer } from './find-server';
import type { RouteDeps } from './granted-route';
import { serverParams } from '../http/route-params';

const STATE_BYTES = 64;

const codeSchema = z.object({
  token: z.string().optional().meta({ description: 'The state; ignored.' }),
  secret: z.string().min(1).meta({ description: 'The code.' }),
});

/** Links a project: where to send the user, and tokens for the code (RFC 6749, 4.1). */
export function addAuthorizeRoutes(router: Router, deps: RouteDeps): void {
  router.get(
    '/vcs/:name/authorize',
    {
      ...{ summary: 'Where to send the user', params: serverParams },
      ...{ answer: vcsAuthorizeSchema, errors: ['notFound'] },
    },
    () =>
      handle(async (req): Promise<VcsAuthorize> => {
        const { oauth } = findOAuthServer(deps.servers, req);
        const state = randomBytes(STATE_BYTES).toString('hex');
        return { token: state, url: oauth.authorizeUrl(state) };
      }),
  );

  router.post(
    '/vcs/:name/authorize',
    {
      ...{ summary: 'Links a project', params: serverParams, body: codeSchema },
      description: 'Exchanges the code of the user for tokens.',
      answer: vcsAuthorizationSchema,
      errors: ['notFound', 'tooManyRequests', 'badGateway', 'unavailable', 'gatewayTimeout'],
    },
    ({ body: readCode }) =>
      handle(async (req): Promise<VcsAuthorization> => {
        const { oauth, grants } = findOAuthServer(deps.servers, req);
        const { secret: code } = readCode(req);
        // Not aborted when the API hangs up: a code works once.
        const ctx = {
          signal: AbortSignal.timeout(deps.deadlineMs),
          deadline: Date.now() + deps.deadlineMs,
        };
        try {
          const tokens = await oauth.exchangeCode(code, ctx);
          await grants.save(tokens);
          return { token: tokens.accessToken, secret: tokens.refreshToken };
        } catch (error) {
          if (error instanceof DeadGrantError) throw codeRefused(error);
          throw tokenErrorToCds(error);
        }
      }),
  );
}

function codeRefused(error: DeadGrantError): CdsError {
  return new CdsError('wrongRequest', {
    from: `Bitbucket Cloud refused the authorization code: ${error.bitbucketMessage}; link the project again, and if that does not help compare clientId and clientSecret with the OAuth consumer`,
    cause: error,
  });
}
