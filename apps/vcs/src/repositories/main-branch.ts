import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import { fullNameOf } from '../http/repository-ref';
import type { GrantedCall } from '../servers/granted-route';

const CACHE_MS = 60_000;

export type MainBranchOf = ReturnType<typeof createMainBranchOf>;

/**
 * Finds the name of the repository's main branch; undefined in an empty repository. Caches it for a
 * minute: CDS asks for a branch at every push. `current`: as Bitbucket has it at this moment.
 */
export function createMainBranchOf() {
  const known = new LRUCache<string, string>({ ...maxEntries(5000), ttl: CACHE_MS });
  return async (call: GrantedCall, which: 'cached' | 'current' = 'cached') => {
    const { repo, bitbucket, current, grant, ctx } = call;
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
