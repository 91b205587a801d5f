import * as z from 'zod';
import { faultOrderSchema } from '../http/faults';
import { action, nothing, telling, type ControlAction } from '../http/control';
import { SIGNATURES } from './forge-delivery';
import { PULL_REQUEST_STATES } from './model';
import type { BitbucketStandIn } from './stand-in';

const repo = z.string().regex(/^[^/]+\/[^/]+$/, 'workspace/slug is expected');
const name = z.string().min(1);

/** What people can make this Bitbucket do: the methods of the stand-in under their own names. */
export function controlActions(bitbucket: BitbucketStandIn): Record<string, ControlAction> {
  const change = { repo, branch: name, message: z.string().optional() };
  return {
    state: telling('repositories with their refs, statuses and webhooks', nothing, () =>
      bitbucket.state(),
    ),
    requests: telling('what was asked of this Bitbucket', nothing, () =>
      bitbucket.requests.entries(),
    ),
    deliveries: telling('webhook deliveries and their attempts', nothing, () =>
      bitbucket.deliveries(),
    ),
    push: action(
      'push commits to a branch, which is created if need be',
      z.strictObject({
        ...change,
        commits: z.int().min(0).max(1_000).optional(),
        from: name.optional(),
        files: z.record(name, z.string().nullable()).optional(),
      }),
      async (input) => summary(await bitbucket.push(input)),
    ),
    forcePush: action(
      'replace the last commit of a branch',
      z.strictObject(change),
      async (input) => summary(await bitbucket.forcePush(input)),
    ),
    deleteBranch: action('delete a branch', z.strictObject({ repo, branch: name }), async (input) =>
      summary(await bitbucket.deleteBranch(input)),
    ),
    createTag: action(
      'create a tag, annotated if it has a message',
      z.strictObject({ repo, tag: name, target: name.optional(), message: z.string().optional() }),
      async (input) => summary(await bitbucket.createTag(input)),
    ),
    deleteTag: action('delete a tag', z.strictObject({ repo, tag: name }), async (input) =>
      summary(await bitbucket.deleteTag(input)),
    ),
    openPullRequest: action(
      'open a pull request',
      z.strictObject({
        repo,
        title: name,
        sourceBranch: name,
        sourceRepository: repo.optional(),
        destinationBranch: name.optional(),
      }),
      (input) => bitbucket.openPullRequest(input),
    ),
    closePullRequest: action(
      'merge, decline or supersede a pull request',
      z.strictObject({ repo, id: z.int(), state: z.enum(PULL_REQUEST_STATES) }),
      (input) => bitbucket.closePullRequest(input),
    ),
    resend: action(
      'send a delivery once more, as the button of that name does; the last one by default',
      z.strictObject({ requestUuid: z.uuid().optional() }),
      async ({ requestUuid }) => {
        const found = bitbucket
          .deliveries()
          .findLast((one) => requestUuid === undefined || one.requestUuid === requestUuid);
        if (!found)
          throw new Error(
            requestUuid === undefined
              ? 'Nothing was delivered yet: push to a repository that has a webhook'
              : `No delivery has the id ${requestUuid}: \`deliveries\` lists them`,
          );
        const { event, url, attempts } = await bitbucket.resend(found);
        return { requestUuid: found.requestUuid, event, url, attempts };
      },
    ),
    forge: action(
      'call the webhook of a repository as somebody who does not know its secret would',
      z.strictObject({ repo, signature: z.enum(SIGNATURES).default('none') }),
      (input) => bitbucket.forge(input),
    ),
    issueApiToken: action(
      'an API token of the account, to be sent as Basic with its e-mail address',
      z.strictObject({ scopes: z.array(z.string()).optional(), token: name.optional() }),
      ({ scopes, token }) => ({
        user: bitbucket.account.email,
        token: bitbucket.issueApiToken({ ...(scopes && { scopes }), ...(token && { token }) }),
      }),
    ),
    issueAccessToken: action(
      'an access token of a workspace, or of one repository, to be sent as Bearer',
      z.strictObject({
        workspace: name,
        repository: name.optional(),
        scopes: z.array(z.string()).optional(),
        token: name.optional(),
      }),
      ({ workspace, repository, scopes, token }) => ({
        user: 'x-token-auth',
        token: bitbucket.issueAccessToken({
          workspace,
          ...(repository && { repository }),
          ...(scopes && { scopes }),
          ...(token && { token }),
        }),
      }),
    ),
    revokeToken: action(
      'an API token or access token works no more',
      z.strictObject({ token: name }),
      ({ token }) => bitbucket.revokeToken(token),
    ),
    revokeGrants: action('the user takes every grant back', nothing, () =>
      bitbucket.revokeGrants(),
    ),
    expireAccessTokens: action('every access token expires now', nothing, () =>
      bitbucket.expireAccessTokens(),
    ),
    setAccessTokenLifetime: action(
      'seconds that access tokens issued from now on last',
      z.strictObject({ seconds: z.number().min(0) }),
      ({ seconds }) => bitbucket.setAccessTokenLifetime(seconds),
    ),
    setScopes: action(
      'the scopes of the consumer and of its grants',
      z.strictObject({ scopes: z.array(z.string()) }),
      ({ scopes }) => bitbucket.setScopes(scopes),
    ),
    setConsent: action(
      'what the user does at the consent page',
      z.strictObject({ consent: z.enum(['auto', 'ask', 'deny']) }),
      ({ consent }) => bitbucket.setConsent(consent),
    ),
    setRateLimit: action(
      'requests to repositories that are allowed in an hour',
      z.strictObject({
        requestsPerHour: z.int().min(0),
        retryAfter: z
          .strictObject({ form: z.enum(['seconds', 'date']), seconds: z.int().min(0) })
          .optional(),
      }),
      ({ requestsPerHour, retryAfter }) =>
        bitbucket.setRateLimit({ requestsPerHour, ...(retryAfter ? { retryAfter } : {}) }),
    ),
    fail: action('a fault for the next requests', faultOrderSchema, (order) =>
      bitbucket.faults.order(order),
    ),
    recover: action('takes back the faults that are still to come', nothing, () =>
      bitbucket.faults.clear(),
    ),
  };
}

/** The deliveries of a push without their bodies, which are in `deliveries`. */
async function summary(pushed: Awaited<ReturnType<BitbucketStandIn['push']>>): Promise<unknown> {
  const delivered = await pushed.delivered;
  return {
    hash: pushed.hash,
    deliveries: delivered.map(({ url, event, attempts }) => ({ url, event, attempts })),
  };
}
