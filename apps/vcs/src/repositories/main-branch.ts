import { LRUCache } from 'lru-cache';
import { fullNameOf, repoOf } from '../http/repository-ref';
import type { GrantedCall } from '../servers/granted-route';

const CACHE_MS = 60_000;

/** The name of the repository's main branch; undefined in an empty repository. */
export type MainBranchOf = (
  call: GrantedCall,
  /** `current`: as Bitbucket has it at this moment. */
  which?: 'cached' | 'current',
) => Promise<string | undefined>;

/** Caches the answers for a minute: CDS asks for a branch at every push. */
export function createMainBranchOf(): MainBranchOf {
  const known = new LRUCache<string, string>({ max: 5000, ttl: CACHE_MS });
  return async ({ req, bitbucket, current, grant, ctx }, which = 'cached') => {
    const repo = repoOf(req);
    const key = `${grant} ${fullNameOf(repo)}`;
    const remembered = which === 'cached' ? known.get(key) : undefined;
    if (remembered !== undefined) return remembered;
    const client = which === 'cached' ? bitbucket : current;
    const { mainBranch } = await client.getRepository(repo, ctx);
    if (mainBranch !== undefined) known.set(key, mainBranch);
    else known.delete(key);
    return mainBranch;
  };
}
