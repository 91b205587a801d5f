import type { BbBranch } from '@cds/bitbucket';
import type { VcsBranch } from '@cds/wire';

/** @param mainBranch the repository's main branch; undefined in an empty repository */
export function toVcsBranch(
  branch: Pick<BbBranch, 'name' | 'hash'> & Pick<VcsBranch, 'parents'>,
  mainBranch: string | undefined,
): VcsBranch {
  return {
    id: branch.name,
    display_id: branch.name,
    latest_commit: branch.hash,
    default: branch.name === mainBranch,
    parents: branch.parents,
  };
}
