import type { BbBranch } from '@cds/bitbucket';
import type { VcsBranch } from '@cds/wire';
import type { Request } from 'express';
import { isOfVcsProject } from '../credentials/project-headers';

/** How `id` names a branch: CDS's workflows as code, of VCS projects alone, need the whole ref. */
export type BranchIds = 'names' | 'refs';

export function branchIdsFor(req: Pick<Request, 'headers'>): BranchIds {
  return isOfVcsProject(req) ? 'refs' : 'names';
}

/** @param mainBranch the repository's main branch; undefined in an empty repository */
export function toVcsBranch(
  branch: Pick<BbBranch, 'name' | 'hash'> & Pick<VcsBranch, 'parents'>,
  mainBranch: string | undefined,
  ids: BranchIds = 'names',
): VcsBranch {
  return {
    id: ids === 'refs' ? `refs/heads/${branch.name}` : branch.name,
    display_id: branch.name,
    latest_commit: branch.hash,
    default: branch.name === mainBranch,
    parents: branch.parents,
  };
}
