import type { BitbucketClient } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { collectPages, listQuery } from '../http/paginate';
import type { BbSourceEntry } from '../model';
import { repoPath, routes } from '../routes';
import { SOURCE_FIELDS, sourceEntrySchema } from '../schemas/source';
import type { Refs } from './refs';

type SourceClient = Pick<BitbucketClient, 'listSource' | 'getSourceEntry' | 'readSource'>;

/** Directories and files of a commit. */
export function createSource(
  http: ApiHttp,
  resolveRevision: Refs['resolveRevision'],
): SourceClient {
  return {
    async listSource(repo, revision, directory, { maxDepth, limit }, ctx) {
      const commit = await resolveRevision(repo, revision, ctx);
      // 10 and 100 are Bitbucket's bounds for a page.
      const query = listQuery(Math.min(100, Math.max(10, limit)), SOURCE_FIELDS);
      query.set('max_depth', String(maxDepth));
      const identity = ({ path }: BbSourceEntry) => path;
      const path = repoPath(repo, { commit, path: [...segmentsOf(directory), ''] });
      const call = { path, query, item: sourceEntrySchema, identity, limit };
      return collectPages(http, routes.listSource, call, ctx);
    },
    async getSourceEntry(repo, revision, path, ctx) {
      const commit = await resolveRevision(repo, revision, ctx);
      const call = {
        path: repoPath(repo, { commit, path: segmentsOf(path) }),
        query: new URLSearchParams({ format: 'meta' }),
      };
      return (await http.call(routes.getSourceMeta, call, ctx)).read(sourceEntrySchema);
    },
    async readSource(repo, revision, path, ctx) {
      const commit = await resolveRevision(repo, revision, ctx);
      const call = { path: repoPath(repo, { commit, path: segmentsOf(path) }) };
      return (await http.call(routes.readSource, call, ctx)).body;
    },
  };
}

function segmentsOf(path: string): string[] {
  return path === '' ? [] : path.split('/');
}
