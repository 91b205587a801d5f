import type { BitbucketClient } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { collectPages, listQuery } from '../http/paginate';
import type { BbCommit } from '../model';
import { repoPath, routes } from '../routes';
import { COMMIT_FIELDS, commitSchema } from '../schemas/commit';
import type { Refs } from './refs';

export function createCommits(
  http: ApiHttp,
  resolveRevision: Refs['resolveRevision'],
): Pick<BitbucketClient, 'listCommits' | 'getCommit'> {
  return {
    async listCommits(repo, { include, exclude, limit }, ctx) {
      if (limit <= 0) return [];
      // 10 and 100 are Bitbucket's bounds for a page.
      const query = listQuery(Math.min(100, Math.max(10, limit)), COMMIT_FIELDS);
      for (const ref of include) if (ref !== '') query.append('include', ref);
      for (const ref of exclude) if (ref !== '') query.append('exclude', ref);
      const identity = ({ hash }: BbCommit) => hash;
      const call = { path: repoPath(repo), query, item: commitSchema, identity, limit };
      return collectPages(http, routes.listCommits, call, ctx);
    },
    async getCommit(repo, revision, ctx) {
      const commit = await resolveRevision(repo, revision, ctx);
      return http.read(routes.getCommit, repoPath(repo, { commit }), commitSchema, ctx);
    },
  };
}
