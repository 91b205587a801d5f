import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  createPendingStore,
  type KeyRepair,
  NO_KEY_REPAIR,
  type DeliveryPlan,
  type ParsedExecution,
  type PlanDelivery,
} from '@cds/hooks-store';
import type { TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { MalformedExecutionError } from '../../payloads/malformed-execution';

/** The branch changes of a delivery; the last one of each branch counts. */
export interface BranchChanges {
  /** Of the delivery. */
  id: string;
  /** Milliseconds. */
  acceptedAt: number;
  branches: ReadonlyMap<string, 'pushed' | 'deleted'>;
}

export interface WaitingChanges {
  /** In order of acceptance. */
  deliveries: BranchChanges[];
  /** Id of the last pending delivery, or "". */
  lastSeen: string;
}

export type WaitingBranchChanges = ReturnType<typeof createWaitingBranchChanges>;

/** Deliveries read and parsed before a yield. */
const CHUNK = 50;
/** Characters of names in the cache, with its overhead. */
const MAX_CACHED = 8_000_000;
const PER_ENTRY = 100;
const NO_CHANGES = { acceptedAt: 0, branches: new Map<string, 'pushed' | 'deleted'>() };

/**
 * Reads the branch changes in a hook's pending deliveries. A delivery never changes, so each is
 * read and parsed once.
 */
export function createWaitingBranchChanges(deps: {
  redis: Redis;
  plan: PlanDelivery;
  keyRepair?: KeyRepair;
}) {
  const { redis, keyRepair = NO_KEY_REPAIR } = deps;
  const pending = createPendingStore({ redis });
  const known = new LRUCache<string, BranchChanges>({
    maxSize: MAX_CACHED,
    sizeCalculation: ({ branches }) =>
      [...branches.keys()].reduce((sum, name) => sum + name.length + PER_ENTRY, PER_ENTRY),
  });
  /** Concurrent reads of one hook wait for each other: the later ones find all in the cache. */
  const reading = new Map<string, Promise<WaitingChanges>>();

  async function readChunk(uuid: string, ids: string[]): Promise<WaitingChanges['deliveries']> {
    const found = new Map(ids.map((id) => [id, known.get(`${uuid}/${id}`)]));
    const missing = ids.filter((id) => !found.get(id));
    if (missing.length > 0) {
      for (const [id, execution] of await pending.read(uuid, missing)) {
        const branchChanges = { id, ...changesOfExecution(deps.plan, execution) };
        found.set(id, branchChanges);
        known.set(`${uuid}/${id}`, branchChanges);
      }
      await nextTurn();
    }
    return ids.flatMap((id) => {
      const branchChanges = found.get(id);
      return branchChanges && branchChanges.branches.size > 0 ? [branchChanges] : [];
    });
  }

  async function readNow(uuid: string): Promise<WaitingChanges> {
    const ids = await pending.ids(uuid);
    const deliveries: WaitingChanges['deliveries'] = [];
    for (let i = 0; i < ids.length; i += CHUNK) {
      deliveries.push(...(await readChunk(uuid, ids.slice(i, i + CHUNK))));
    }
    return { deliveries, lastSeen: ids.at(-1) ?? '' };
  }

  return {
    /** The pending deliveries of the hook that name a branch. */
    async read(uuid: string): Promise<WaitingChanges> {
      const before = reading.get(uuid);
      const now = (async () => {
        await before?.catch(() => undefined);
        return keyRepair.hook(uuid, () => readNow(uuid));
      })();
      reading.set(uuid, now);
      try {
        return await now;
      } finally {
        if (reading.get(uuid) === now) reading.delete(uuid);
      }
    },
  };
}

function changesOfExecution(
  planDelivery: PlanDelivery,
  pending: ParsedExecution,
): Omit<BranchChanges, 'id'> {
  // An unreadable delivery fails when it is processed.
  if (!pending) return NO_CHANGES;
  const { execution, body } = pending;
  const { webhook, poll, accepted_at, replay_of } = execution;
  const type = execution.type as TaskType | undefined;
  // A replay is about an old change, and does not touch cleanups.
  if (replay_of !== undefined || (!webhook && !poll)) return NO_CHANGES;
  let plan: DeliveryPlan;
  try {
    // Older versions stored deliveries of repository webhooks without a type.
    plan = planDelivery({ type: type ?? 'RepoWebHook', execution, body });
  } catch (error) {
    if (error instanceof MalformedExecutionError) return NO_CHANGES;
    throw error;
  }
  const branches = new Map<string, 'pushed' | 'deleted'>();
  for (const step of plan.steps) {
    if (step.branch === undefined || (step.type === 'run' && step.isLate)) continue;
    branches.set(step.branch, step.type === 'run' ? 'pushed' : 'deleted');
  }
  return { acceptedAt: accepted_at, branches };
}
