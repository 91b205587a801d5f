import type { BitbucketClient, CallContext } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { BitbucketError } from '../http/bitbucket-error';
import { collectPages, listQuery, readPages } from '../http/paginate';
import type { BbBranch, BbRef, RepoRef } from '../model';
import { repoPath, routes } from '../routes';
import {
  BRANCH_FIELDS,
  branchSchema,
  DATED_BRANCH_FIELDS,
  type DatedBranch,
  datedBranchSchema,
  REF_FIELDS,
  refSchema,
  TAG_FIELDS,
  tagSchema,
} from '../schemas/refs';

type RefsClient = Pick<
  BitbucketClient,
  'listRefs' | 'listBranches' | 'getBranch' | 'listTags' | 'getTag'
>;

export interface Refs extends RefsClient {
  /** Page by page, those first whose last commits are the newest. */
  newestBranches(repo: RepoRef, ctx: CallContext): AsyncGenerator<BbBranch[], undefined>;
  /**
   * Resolves the tag, else the branch, of a name with `/` to its hash: Bitbucket answers 404 to
   * such a name in a path, however encoded.
   */
  resolveRevision(repo: RepoRef, revision: string, ctx: CallContext): Promise<string>;
}

export function createRefs(http: ApiHttp): Refs {
  /** In an order that every push changes: for who needs only what is in front. */
  function newestFirst(repo: RepoRef) {
    const query = listQuery(100, BRANCH_FIELDS);
    query.set('sort', '-target.date');
    return { path: repoPath(repo), query, item: branchSchema, identity: nameOf };
  }

  const getBranch = (repo: RepoRef, name: string, ctx: CallContext) =>
    http.read(routes.getBranch, repoPath(repo, { name }), branchSchema, ctx);

  const getTag = (repo: RepoRef, name: string, ctx: CallContext) =>
    http.read(routes.getTag, repoPath(repo, { name }), tagSchema, ctx);

  return {
    getBranch,
    getTag,
    listRefs(repo, ctx) {
      const query = listQuery(100, REF_FIELDS, 'name');
      const identity = ({ type, name }: BbRef) => `${type} ${name}`;
      const call = { path: repoPath(repo), query, item: refSchema, identity };
      return collectPages(http, routes.listRefs, call, ctx);
    },
    newestBranches: (repo, ctx) => readPages(http, routes.listBranches, newestFirst(repo), ctx),
    async listBranches(repo, ctx) {
      const query = listQuery(100, DATED_BRANCH_FIELDS, 'name');
      const identity = ({ branch }: DatedBranch) => branch.name;
      const call = { path: repoPath(repo), query, item: datedBranchSchema, identity };
      const branches = await collectPages(http, routes.listBranches, call, ctx);
      return branches.toSorted((a, b) => b.committedAt - a.committedAt).map(({ branch }) => branch);
    },
    listTags(repo, ctx) {
      const query = listQuery(100, TAG_FIELDS, 'name');
      const call = { path: repoPath(repo), query, item: tagSchema, identity: nameOf };
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

function nameOf({ name }: { name: string }): string {
  return name;
}
