import type { BitbucketClient, BitbucketClientOptions, CallContext } from './client-types';
import { createApiHttp } from './http/api-http';
import type { RepoRef } from './model';
import { createCommits } from './resources/commits';
import { createFullHashes } from './resources/full-hashes';
import { createPullRequests } from './resources/pull-requests';
import { createRefs } from './resources/refs';
import { createReports } from './resources/reports';
import { createRepositories } from './resources/repositories';
import { createSource } from './resources/source';
import { createStatuses } from './resources/statuses';
import { createWebhooks } from './resources/webhooks';

/** A client for one credential, cheap to make: all clients share connections and known hashes. */
export function createBitbucketClient(o: BitbucketClientOptions): BitbucketClient {
  const http = createApiHttp(o);
  const { newestBranches, resolveRevision, ...refs } = createRefs(http);
  const commits = createCommits(http, resolveRevision);
  const { apiUrl } = o;
  const fullHashes = createFullHashes({ apiUrl, newestBranches, getCommit: commits.getCommit });
  /** A read of one commit, of which the hash is noted. */
  function noting<T extends { hash: string }>(
    read: (repo: RepoRef, name: string, ctx: CallContext) => Promise<T>,
  ): typeof read {
    return async (repo, name, ctx) => {
      const found = await read(repo, name, ctx);
      fullHashes.note(repo, found.hash);
      return found;
    };
  }

  return {
    ...createRepositories(http, o.part, o.tokens.user !== undefined || o.part === undefined),
    ...refs,
    ...commits,
    getBranch: noting(refs.getBranch),
    getCommit: noting(commits.getCommit),
    ...createStatuses(http, resolveRevision),
    ...createPullRequests(http, fullHashes),
    ...createSource(http, resolveRevision),
    ...createReports(http),
    ...createWebhooks(http),
  };
}
