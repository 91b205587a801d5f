import type { BitbucketClient, CallContext } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { BitbucketError } from '../http/bitbucket-error';
import { listQuery, readPages } from '../http/paginate';
import type { BbPullRequest, NewPullRequest, RepoRef } from '../model';
import { repoPath, routes } from '../routes';
import { PULL_REQUEST_FIELDS, pullRequestSchema } from '../schemas/pull-request';
import type { FullHashes } from './full-hashes';

type PullRequestsClient = Pick<
  BitbucketClient,
  'listPullRequests' | 'getPullRequest' | 'createPullRequest' | 'commentPullRequest'
>;

/** Bitbucket's own bound for this list; more is a 400. */
const PAGELEN = 50;

export function createPullRequests(http: ApiHttp, fullHashes: FullHashes): PullRequestsClient {
  async function completeOne(repo: RepoRef, pullRequest: BbPullRequest, ctx: CallContext) {
    const [completed] = await fullHashes.complete(repo, onePage([pullRequest]), ctx);
    return completed ?? pullRequest;
  }

  return {
    async listPullRequests(repo, { states = [], sourceCommitHash }, ctx) {
      const query = listQuery(PAGELEN, PULL_REQUEST_FIELDS, '-created_on');
      for (const state of states) query.append('state', state);
      const identity = ({ id }: BbPullRequest) => String(id);
      const call = { path: repoPath(repo), query, item: pullRequestSchema, identity };
      const pages = readPages(http, routes.listPullRequests, call, ctx);
      if (sourceCommitHash === undefined) return fullHashes.complete(repo, pages, ctx);
      const candidates: BbPullRequest[] = [];
      for await (const page of pages)
        candidates.push(...page.filter((one) => samePrefix(one.source.hash, sourceCommitHash)));
      const completed = await fullHashes.complete(repo, onePage(candidates), ctx);
      return completed.filter((one) => samePrefix(one.source.hash, sourceCommitHash));
    },
    async getPullRequest(repo, id, ctx) {
      const path = repoPath(repo, { pull_request_id: id });
      const found = await http.read(routes.getPullRequest, path, pullRequestSchema, ctx);
      return completeOne(repo, found, ctx);
    },
    async createPullRequest(repo, pullRequest, ctx) {
      const call = { path: repoPath(repo), body: toBody(pullRequest) };
      const answer = await http.call(routes.createPullRequest, call, ctx);
      const created = answer.read(pullRequestSchema);
      try {
        return await completeOne(repo, created, ctx);
      } catch (error) {
        // It exists: failing now would make the caller create it again.
        if (!(error instanceof BitbucketError)) throw error;
        const { status, bitbucketMessage } = error;
        http.logger?.warn(
          { pullRequest: created.id, status, bitbucketMessage },
          'full hashes of a created pull request cannot be read',
        );
        return created;
      }
    },
    async commentPullRequest(repo, id, markdown, ctx) {
      const path = repoPath(repo, { pull_request_id: id });
      const body = { content: { raw: markdown } };
      await http.call(routes.commentPullRequest, { path, body }, ctx);
    },
  };
}

async function* onePage<T>(values: T[]): AsyncGenerator<T[], undefined> {
  yield values;
}

/** Bitbucket documents no filter by commit, so hashes, short or full, are compared here. */
function samePrefix(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length);
  return length >= 7 && one.slice(0, length) === other.slice(0, length).toLowerCase();
}

function toBody(o: NewPullRequest): object {
  return {
    title: o.title,
    ...(o.description !== undefined && { description: o.description }),
    source: {
      branch: { name: o.sourceBranch },
      ...(o.sourceRepository && { repository: { full_name: o.sourceRepository } }),
    },
    ...(o.destinationBranch && { destination: { branch: { name: o.destinationBranch } } }),
  };
}
