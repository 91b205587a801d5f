import type { BitbucketClient, CallContext } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { BitbucketError } from '../http/bitbucket-error';
import { listQuery } from '../http/list-query';
import { collectPages, readPages } from '../http/paginate';
import type { BbBranch, RepoRef } from '../model';
import { routes } from '../routes';
import {
  BRANCH_FIELDS,
  branchSchema,
  REF_FIELDS,
  refSchema,
  TAG_FIELDS,
  tagSchema,
} from '../schemas/refs';
import { repoPath } from './repo-path';

type RefsClient = Pick<
  BitbucketClient,
  'listRefs' | 'listBranches' | 'getBranch' | 'listTags' | 'getTag'
>;

export interface Refs extends RefsClient {
  /** Page by page, those first whose last commits are the newest. */
  newestBranches(repo: RepoRef, ctx: CallContext): AsyncGenerator<BbBranch[], undefined>;
  /**
   * What can stand for `{commit}` in a path: a name with `/` cannot (Bitbucket answers 404, however it is encoded), so the
   * tag, else the branch, of that name is resolved to its hash.
   */
  resolveRevision(repo: RepoRef, revision: string, ctx: CallContext): Promise<string>;
}

export function createRefs(http: ApiHttp): Refs {
  function newestFirst(repo: RepoRef) {
    const query = listQuery(100, BRANCH_FIELDS);
    query.set('sort', '-target.date');
    return { path: repoPath(repo), query, item: branchSchema };
  }

  async function getBranch(repo: RepoRef, name: string, ctx: CallContext) {
    const answer = await http.call(routes.getBranch, { path: repoPath(repo, { name }) }, ctx);
    return answer.read(branchSchema);
  }

  async function getTag(repo: RepoRef, name: string, ctx: CallContext) {
    const answer = await http.call(routes.getTag, { path: repoPath(repo, { name }) }, ctx);
    return answer.read(tagSchema);
  }

  return {
    getBranch,
    getTag,
    listRefs(repo, ctx) {
      const query = listQuery(100, REF_FIELDS);
      const call = { path: repoPath(repo), query, item: refSchema };
      return collectPages(http, routes.listRefs, call, ctx);
    },
    newestBranches: (repo, ctx) => readPages(http, routes.listBranches, newestFirst(repo), ctx),
    listBranches: (repo, ctx) => collectPages(http, routes.listBranches, newestFirst(repo), ctx),
    listTags(repo, ctx) {
      const query = listQuery(100, TAG_FIELDS);
      const call = { path: repoPath(repo), query, item: tagSchema };
      return collectPages(http, routes.listTags, call, ctx);
    },
    async resolveRevision(repo, revision, ctx) {
      if (!revision.includes('/')) return revision;
      try {
        return (await getTag(repo, revision, ctx)).hash;
      } catch (error) {
        if (!(error instanceof BitbucketError) || error.status !== 404) throw error;
      }
      return (await getBranch(repo, revision, ctx)).hash;
    },
  };
}
