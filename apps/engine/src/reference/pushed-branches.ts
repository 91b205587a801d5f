import { readExecution } from '@cds/hooks-store';
import { fieldsOf, hookKeys } from '@cds/hooks-store/keys';
import type { Redis } from 'ioredis';
import * as z from 'zod';

/** The branches that exist after a push. */
const push = z.object({
  push: z.object({
    changes: z.array(
      z.object({ new: z.object({ type: z.string(), name: z.string() }).nullish().catch(null) }),
    ),
  }),
});

const AT_ONCE = 20;

/** The branches that a delivery (base64) pushed to; none when it is no push. */
export function pushedBranches(body: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body, 'base64').toString('utf8'));
  } catch {
    return [];
  }
  const parsed = push.safeParse(value);
  if (!parsed.success) return [];
  return parsed.data.push.changes.flatMap((change) =>
    change.new?.type === 'branch' ? [change.new.name] : [],
  );
}

/**
 * Whether a delivery that this project's hooks processed pushed to a branch after a moment.
 * @param after id of an execution (µs)
 */
export async function wasPushedSince(
  redis: Redis,
  hook: string,
  branch: string,
  after: string,
): Promise<boolean> {
  const keys = hookKeys(hook);
  for (const set of [keys.done, keys.dead]) {
    const ids = await redis.zrangebyscore(set, `(${after}`, '+inf');
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      const fields = fieldsOf(ids.slice(i, i + AT_ONCE));
      const read = await redis.hmget(keys.executions, ...fields);
      for (let at = 0; at < read.length; at += 2) {
        const [json, body] = read.slice(at);
        const execution = json ? readExecution(json, body) : undefined;
        if (!execution?.webhook || execution.replay_of !== undefined) continue;
        if (pushedBranches(execution.webhook.request_body).includes(branch)) return true;
      }
    }
  }
  return false;
}
