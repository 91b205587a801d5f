import type { BbPullRequest, PullRequestState } from '@cds/bitbucket';
import { type Router } from '@cds/service';
import { CdsError, KNOWN_ERRORS, vcsPullRequestSchema } from '@cds/wire';
import * as z from 'zod';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import { fullNameOf, refName } from '../http/repository-ref';
import { queryText, repositoryParams } from '../http/route-params';
import { shorten } from '../http/shorten';
import { branchIdsFor } from '../repositories/vcs-branch';
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

/** CDS's words for the states of a pull request. */
const STATES = new Map<string, PullRequestState[]>([
  ['open', ['OPEN']],
  ['merged', ['MERGED']],
  ['closed', ['DECLINED', 'SUPERSEDED']],
  ['all', ['OPEN', 'MERGED', 'DECLINED', 'SUPERSEDED']],
]);
const STATE_WORDS = [...STATES.keys()].join(', ');

const listQuery = z.object({
  state: queryText(`One of ${STATE_WORDS}; open when it is not given.`),
});
const searchQuery = listQuery.extend({
  commit: queryText('The hash of the commit, at least its first 12 digits.'),
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
      summary: 'Lists pull requests',
      params: repositoryParams,
      query: listQuery,
      answer: z.array(vcsPullRequestSchema),
    },
    grantedRoute(deps, 'notFound', async ({ req, repo, bitbucket, ctx }, { query }) => {
      const states = statesOf(query(req).state);
      const found = await bitbucket.listPullRequests(repo, { states }, ctx);
      return found.map((one) => toVcsPullRequest(one, branchIdsFor(req)));
    }),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/search/pullrequest',
    {
      summary: 'Finds the pull request of a commit',
      description: 'The newest one whose source branch stands at the commit.',
      params: repositoryParams,
      query: searchQuery,
      answer: vcsPullRequestSchema,
    },
    grantedRoute(deps, 'repositoryNotFound', async (call, { query }) => {
      const { commit, state } = query(call.req);
      const found = await pullRequestOf(call, commit, state || 'open');
      return toVcsPullRequest(found, branchIdsFor(call.req));
    }),
  );

  router.get(
    `${path}/:id`,
    { summary: 'One pull request', params: pullRequestParams, answer: vcsPullRequestSchema },
    grantedRoute(deps, 'repositoryNotFound', async ({ req, repo, bitbucket, ctx }, { params }) =>
      toVcsPullRequest(
        await bitbucket.getPullRequest(repo, params(req).id, ctx),
        branchIdsFor(req),
      ),
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
    grantedRoute(deps, 'notFound', async ({ req, repo, bitbucket, ctx }, { body }) => {
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
      return toVcsPullRequest(created, branchIdsFor(req));
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
    grantedRoute(deps, 'repositoryNotFound', async (call, { params, body }) => {
      const { id } = params(call.req);
      await comment(call, body(call.req), () => id);
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
    grantedRoute(deps, 'repositoryNotFound', async (call, { body }) => {
      const { id, revision, message } = body(call.req);
      const ofCommit = async () => (await pullRequestOf(call, revision ?? '', 'open')).id;
      await comment(call, message, () => id || ofCommit());
    }),
  );
}

/** @param idOf finds the pull request, where there is something to say */
async function comment(
  call: GrantedCall,
  text: string,
  idOf: () => number | Promise<number>,
): Promise<void> {
  // CDS sends a line feed for a run without anything to say; Bitbucket refuses blank comments.
  if (call.server.config.status.disable || text.trim() === '') return;
  const short = shorten(text, MAX_COMMENT, SHORTENED);
  await call.bitbucket.commentPullRequest(call.repo, await idOf(), short, call.ctx);
}

/** @throws CdsError 404 when no source branch stands at `commit` */
async function pullRequestOf(
  call: GrantedCall,
  commit: string,
  state: string,
): Promise<BbPullRequest> {
  if (!/^[0-9a-f]{12,40}$/i.test(commit))
    throw new CdsError('wrongRequest', {
      from: 'give the hash of the newest commit of the pull request: at least 12 digits',
    });
  const found = await call.bitbucket.listPullRequests(
    call.repo,
    { states: statesOf(state), sourceCommitHash: commit.toLowerCase() },
    call.ctx,
  );
  const first = found[0];
  if (!first)
    throw new CdsError('notFound', {
      from: `no ${state === 'all' ? '' : `${state} `}pull request has ${commit} as its head`,
    });
  return first;
}

/** @throws CdsError 400 for another word than CDS's */
function statesOf(word: string): PullRequestState[] {
  const states = STATES.get(word.toLowerCase() || 'open');
  if (!states) throw new CdsError('wrongRequest', { from: `state is one of ${STATE_WORDS}` });
  return states;
}

function branchOf({ branch }: z.infer<typeof end>): string | undefined {
  return branch?.display_id || refName(branch?.id ?? '') || undefined;
}
