import type { Redis } from 'ioredis';
import { type StoredExecution, hookKeys } from '@cds/hooks-store';
import { type DeliveryPlan, isMalformedDelivery, planPush } from '../payloads';
import type { Cleanup } from './cleanup';

const CHUNK = 50;

/**
 * Looks through the deliveries that wait at the hook for one that makes the cleanup void: a push to exactly that
 * branch, or a later deletion of it, which schedules it anew when its turn comes.
 *
 * @returns whether there is one, and the id of the last delivery looked at ("" when none waits)
 */
export async function lookThroughWaiting(
  redis: Redis,
  cleanup: Cleanup,
): Promise<{ isBack: boolean; lastSeen: string }> {
  const keys = hookKeys(cleanup.hook);
  const ids = await redis.lrange(keys.waiting, 0, -1);
  for (let i = 0; i < ids.length; i += CHUNK) {
    const chunk = ids.slice(i, i + CHUNK).filter((id) => Number(id) >= Number(cleanup.accepted));
    if (chunk.length === 0) continue;
    const executions = await redis.hmget(keys.executions, ...chunk);
    for (const [index, json] of executions.entries()) {
      const plan = json ? planOf(json) : undefined;
      if (!plan) continue;
      if (plan.pushedBranches.includes(cleanup.branch)) return { isBack: true, lastSeen: '' };
      const isLater = chunk[index] !== cleanup.accepted;
      if (isLater && plan.deletedBranches.includes(cleanup.branch)) {
        return { isBack: true, lastSeen: '' };
      }
    }
  }
  return { isBack: false, lastSeen: ids.at(-1) ?? '' };
}

function planOf(json: string): DeliveryPlan | undefined {
  const { webhook, replay_of } = JSON.parse(json) as StoredExecution;
  // It tells of what was long ago, and leaves cleanups alone when its turn comes.
  if (replay_of !== undefined) return undefined;
  try {
    return planPush(Buffer.from(webhook.request_body, 'base64'));
  } catch (error) {
    if (isMalformedDelivery(error)) return undefined;
    throw error;
  }
}
