import { bodyField, hookKeys, KEYS } from '@cds/hooks-store/keys';
import { readCommit } from '../processes/deliveries';
import type { HooksStage } from './hooks-stage';

/** How many deliveries wait, over all hooks. */
export async function waitingAt(stage: HooksStage): Promise<number> {
  return Number(await stage.redis.redis.get(KEYS.waitingTotal));
}

/**
 * Looks whether the deliveries of a round that are not worked off wait in Redis: behind all others,
 * each once and in the order in which they were sent.
 *
 * @param sent of each hook, how many
 * @throws Error else
 */
export async function checkTaken(stage: HooksStage, round: number, sent: number[]): Promise<void> {
  await Promise.all(
    stage.hooks.map(async ({ uuid }, index) => {
      const count = sent[index] ?? 0;
      if (count === 0) return;
      const keys = hookKeys(uuid);
      const ids = await stage.redis.redis.lrange(keys.waiting, -count, -1);
      const bodies = await stage.redis.redis.hmget(keys.executions, ...ids.map(bodyField));
      bodies.forEach((body, number) => {
        const found = commitIn(body ?? '{}');
        const isNext = Number(ids[number]) > Number(ids[number - 1] ?? 0);
        if (found.join() === [round, index, number].join() && isNext) return;
        throw new Error(
          `Delivery ${number} of hook ${index} in round ${round} was to wait there; there is ${found.join()}`,
        );
      });
    }),
  );
}

function commitIn(body: string): number[] {
  const { push } = JSON.parse(body) as {
    push: { changes: { new: { target: { hash: string } } }[] };
  };
  return readCommit(push.changes[0]?.new.target.hash ?? '');
}
