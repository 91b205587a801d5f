import { createTaskStore } from '@cds/hooks-store';
import { KEYS } from '@cds/hooks-store/keys';
import { captureLogger } from '@cds/testing';
import { useTestContext } from '../../test/test-context';
import { createTaskWatch } from './task-watch';

describe('createTaskWatch', () => {
  const context = useTestContext();

  it('counts what waited before Redis was emptied, also where it is emptied during a look', async () => {
    const redis = context.redisClient;
    const { logger, lines } = captureLogger();
    const watch = createTaskWatch({
      redis,
      tasks: createTaskStore({ redis }),
      logger,
      vanished: () => Promise.resolve(),
    });
    await redis.hset(KEYS.mark, { format: 'of now' });
    await redis.mset({ [KEYS.waitingTotal]: 3 });
    await redis.zadd(KEYS.pending, 1, 'a hook');
    await watch.look(false);

    await redis.flushall();
    // The state was claimed before that, so this look takes Redis for the same one.
    await watch.look(false);
    await redis.hset(KEYS.mark, { format: 'of now' });
    await watch.look(true);

    expect(lines.find(({ level }) => level === 50)).toMatchObject({ deliveries: 3 });
    expect(watch.lost()).toBe(3);
  });
});
