import type { Cleanup } from '@cds/hooks-store';
import type { WaitingBranchChanges } from './waiting-branch-changes';

/** The last change of a cleanup's branch in pending deliveries. */
export interface LatestBranchChange {
  kind: 'none' | 'pushed' | 'deleted';
  /** When it was accepted (ms). */
  acceptedAt: number;
  /** Hook → id of the last delivery that was read, or "". */
  lastSeen: Map<string, string>;
}

/**
 * Reads the pending deliveries of a workflow's hooks for changes of the branch after the deletion
 * that scheduled the cleanup. Any repository counts, since the API removes the runs of all.
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
    for (const { id, acceptedAt, branches } of deliveries) {
      const kind = branches.get(cleanup.branch);
      if (!kind || Number(id) < latestId) continue;
      if (kind === 'deleted' && id === cleanup.accepted) continue;
      latestId = Number(id);
      latest.kind = kind;
      latest.acceptedAt = acceptedAt;
    }
  }
  return latest;
}
