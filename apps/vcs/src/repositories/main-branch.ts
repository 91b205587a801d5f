import { LRUCache } from 'lru-cache';
import { fullNameOf, repoOf } from '../http/repository-ref';
import type { GrantedCall } from '../servers/granted-route';

const CACHE_MS = 60_000;

/** The name of the repository's main branch; undefined in an empty repository. */
export type MainBranchOf = (call: GrantedCall) => Promise<string | undefined>;

/** Caches the answers for a minute: CDS asks for a branch at every push. */
export function createMainBranchOf(): MainBranchOf {
  const known = new LRUCache<string, string>({ max: 5000, ttl: CACHE_MS });
  return async ({ req, bitbucket, grant, ctx }) => {
    const repo = repoOf(req);
    const key = `${grant} ${fullNameOf(repo)}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const { mainBranch } = await bitbucket.getRepository(repo, ctx);
    if (mainBranch !== undefined) known.set(key, mainBranch);
    return mainBranch;
  };
}
