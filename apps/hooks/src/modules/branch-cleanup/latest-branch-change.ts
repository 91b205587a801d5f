import type { Cleanup } from '@cds/hooks-store';
import type { WaitingBranchChanges } from './waiting-branch-changes';

/** What the deliveries that wait say last of the branch of a cleanup. */
export interface LatestBranchChange {
  kind: 'none' | 'pushed' | 'deleted';
  /** When it was accepted (ms). */
  acceptedAt: number;
  /** Hook → id of the last delivery that was looked at, or "". */
  lastSeen: Map<string, string>;
}

/**
 * Looks through the deliveries that wait at the hooks of a workflow for what they say of the branch after the deletion
 * that scheduled the cleanup: of whichever repository, since the API removes the runs of them all.
 */
export async function latestBranchChange(
  waiting: WaitingBranchChanges,
  cleanup: Cleanup,
  hooks: Iterable<string>,
): Promise<LatestBranchChange> {
  const latest: LatestBranchChange = { kind: 'none', acceptedAt: 0, lastSeen: new Map() };
  let latestId = Number(cleanup.accepted);
  for (const uuid of hooks) {
    const { deliveries, lastSeen } = await waiting.read(uuid);
    latest.lastSeen.set(uuid, lastSeen);
    for (const { id, branchChanges } of deliveries) {
      const kind = branchChanges.branches.get(cleanup.branch);
      if (!kind || Number(id) < latestId) continue;
      // The deletion that scheduled it is no news.
      if (kind === 'deleted' && id === cleanup.accepted) continue;
      latestId = Number(id);
      latest.kind = kind;
      latest.acceptedAt = branchChanges.acceptedAt;
    }
  }
  return latest;
}
