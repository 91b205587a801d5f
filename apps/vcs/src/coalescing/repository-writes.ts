import type { BitbucketClient, RepoRef } from '@cds/bitbucket';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import { fullNameOf } from '../http/repository-ref';

export type RepositoryWrites = ReturnType<typeof createRepositoryWrites>;

/** Numbers the states of repositories, by their writes through this process. */
export function createRepositoryWrites() {
  const states = new LRUCache<string, number>(maxEntries(10_000));
  let writes = 0;
  // Bitbucket ignores case.
  const id = (repo: RepoRef) => fullNameOf(repo).toLowerCase();
  return {
    /** Differs after every write. */
    stateOf: (repo: RepoRef) => states.get(id(repo)) ?? 0,
    wrote: (repo: RepoRef) => void states.set(id(repo), ++writes),
  };
}

/** Invalidates what was read of a repository after each write to it, failed ones included. */
export function noteWrites(bitbucket: BitbucketClient, writes: RepositoryWrites): BitbucketClient {
  async function noted<T>(repo: RepoRef, write: Promise<T>): Promise<T> {
    try {
      return await write;
    } finally {
      writes.wrote(repo);
    }
  }
  return {
    ...bitbucket,
    postStatus: (repo, ...rest) => noted(repo, bitbucket.postStatus(repo, ...rest)),
    putReport: (repo, ...rest) => noted(repo, bitbucket.putReport(repo, ...rest)),
    createPullRequest: (repo, ...rest) => noted(repo, bitbucket.createPullRequest(repo, ...rest)),
    commentPullRequest: (repo, ...rest) => noted(repo, bitbucket.commentPullRequest(repo, ...rest)),
    createHook: (repo, ...rest) => noted(repo, bitbucket.createHook(repo, ...rest)),
    updateHook: (repo, ...rest) => noted(repo, bitbucket.updateHook(repo, ...rest)),
    deleteHook: (repo, ...rest) => noted(repo, bitbucket.deleteHook(repo, ...rest)),
  };
}
