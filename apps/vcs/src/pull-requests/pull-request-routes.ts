import { type Router } from '@cds/service';
import { CdsError, KNOWN_ERRORS, vcsPullRequestSchema } from '@cds/wire';
import { z } from 'zod';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import { fullNameOf, repoOf } from '../http/repository-ref';
import { repositoryParams } from '../http/route-params';
import { shorten } from '../http/shorten';
import { toVcsPullRequest } from './vcs-pull-request';

/** The limit of Bitbucket, and of CDS: https://github.com/ovh/cds/pull/5601 */
const MAX_COMMENT = 32_767;
const SHORTENED = '\n\n… (the comment is too long for Bitbucket: see the run in CDS)';
const MAX_TITLE = 255;

const end = z.object({
  repo: z.string().nullish(),
  branch: z.object({ display_id: z.string().nullish(), id: z.string().nullish() }).nullish(),
});

const newPullRequestSchema = z.object({
  title: z.string().min(1),
  head: end,
  base: end.nullish(),
});

const commentSchema = z.object({
  id: z.int().nonnegative().nullish(),
  revision: z.string().nullish(),
  message: z.string().min(1),
});

const pullRequestParams = repositoryParams.extend({
  id: z
    .string()
    .regex(/^(?=.*[1-9])\d{1,15}$/, KNOWN_ERRORS.wrongRequest.message)
    .transform(Number)
    .meta({ description: 'The number of the pull request.' }),
});

/** Listing, reading and creating pull requests, and commenting on them. */
export function addPullRequestRoutes(router: Router, deps: RouteDeps): void {
  const path = '/vcs/:name/repos/:owner/:repo/pullrequests';

  router.get(
    path,
    {
      summary: 'Lists the open pull requests',
      params: repositoryParams,
      answer: z.array(vcsPullRequestSchema),
    },
    () =>
      grantedRoute(deps, 'notFound', async ({ req, bitbucket, ctx }) =>
        (await bitbucket.listPullRequests(repoOf(req), {}, ctx)).map(toVcsPullRequest),
      ),
  );

  router.get(
    `${path}/:id`,
    { summary: 'One pull request', params: pullRequestParams, answer: vcsPullRequestSchema },
    ({ params }) =>
      grantedRoute(deps, 'repositoryNotFound', async ({ req, bitbucket, ctx }) =>
        toVcsPullRequest(await bitbucket.getPullRequest(repoOf(req), params(req).id, ctx)),
      ),
  );

  router.post(
    path,
    {
      summary: 'Creates a pull request',
      params: repositoryParams,
      body: newPullRequestSchema,
      answer: vcsPullRequestSchema,
    },
    ({ body }) =>
      grantedRoute(deps, 'notFound', async ({ req, bitbucket, ctx }) => {
        const repo = repoOf(req);
        const { title, head, base } = body(req);
        const sourceBranch = branchOf(head);
        if (!sourceBranch)
          throw new CdsError('wrongRequest', {
            from: 'head.branch.display_id names the source branch',
          });
        const created = await bitbucket.createPullRequest(
          repo,
          {
            title: shorten(title, MAX_TITLE),
            sourceBranch,
            sourceRepository: head.repo && head.repo !== fullNameOf(repo) ? head.repo : undefined,
            destinationBranch: base ? branchOf(base) : undefined,
          },
          ctx,
        );
        return toVcsPullRequest(created);
      }),
  );

  // CDS 0.41 and before: a bare JSON string.
  router.post(
    `${path}/:id/comments`,
    {
      summary: 'Comments on a pull request',
      description:
        'As CDS 0.41 and before do: the body is the text. Ignored with `status.disable`.',
      params: pullRequestParams,
      body: z.string().min(1),
      answer: 'nothing',
    },
    ({ params, body }) =>
      grantedRoute(deps, 'repositoryNotFound', async (call) => {
        const id = params(call.req).id;
        await comment(call, id, body(call.req));
      }),
  );

  // CDS 0.42 and later.
  router.post(
    `${path}/comments`,
    {
      summary: 'Comments on the pull request of a commit',
      description: 'As CDS 0.42 and later do. Ignored with `status.disable`.',
      params: repositoryParams,
      body: commentSchema,
      answer: 'nothing',
    },
    ({ body }) =>
      grantedRoute(deps, 'repositoryNotFound', async (call) => {
        const { id, revision, message } = body(call.req);
        if (call.server.config.status.disable) return;
        await comment(call, id || (await openPullRequestOf(call, revision ?? '')), message);
      }),
  );
}

async function comment(call: GrantedCall, id: number, text: string): Promise<void> {
  if (call.server.config.status.disable) return;
  const short = shorten(text, MAX_COMMENT, SHORTENED);
  await call.bitbucket.commentPullRequest(repoOf(call.req), id, short, call.ctx);
}

/** The open pull request whose source branch stands at `revision`. */
async function openPullRequestOf(call: GrantedCall, revision: string): Promise<number> {
  if (!/^[0-9a-f]{12,40}$/i.test(revision))
    throw new CdsError('wrongRequest', {
      from: 'give the id of the pull request, or the hash of its newest commit as revision',
    });
  const found = await call.bitbucket.listPullRequests(
    repoOf(call.req),
    { states: ['OPEN'], sourceCommitHash: revision },
    call.ctx,
  );
  const first = found[0];
  if (!first)
    throw new CdsError('notFound', { from: `no open pull request has ${revision} as its head` });
  return first.id;
}

function branchOf({ branch }: z.infer<typeof end>): string | undefined {
  return branch?.display_id || branch?.id || undefined;
}
