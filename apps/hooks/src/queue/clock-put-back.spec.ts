import { waitFor } from '@cds/testing';
import { cleanupKey, KEYS } from '@cds/hooks-store/keys';
import { Redis } from 'ioredis';
import { useClock } from '../../test/clock';
import { execution, push, refsOf } from '../../test/deliveries';
import { repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { settled, swept } from '../../test/settled';
import { pauseEnd } from './api-failure';

const HOURS_25 = 25 * 3_600_000;

describe('pauseEnd', () => {
  it('is the end of a pause that goes on, else 0', () => {
    expect(pauseEnd(0, 10_000, 1_000)).toBe(0);
    expect(pauseEnd(10_000, 10_000, 1_000)).toBe(0);
    expect(pauseEnd(11_000, 10_000, 1_000)).toBe(11_000);
    expect(pauseEnd(10_000 + HOURS_25, 10_000, 1_000)).toBe(0);
  });
});

describe('a wall clock that is put back by 25 h', () => {
  const context = useTestContext();
  const clock = useClock();

  it.each([
    ['that the API refused', { refuse: 500 } as const],
    ['that the API did not answer', 'drop' as const],
  ])('does not hold up a delivery %s before it was', async (_what, misbehaviour) => {
    clock.pass(HOURS_25);
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    let tries = 0;
    context.api.behave = ({ url }) => {
      if (!url.endsWith('/runs')) return 'ok';
      tries += 1;
      return misbehaviour;
    };
    await push(hooks, hook, { push: 'main' });
    await waitFor(() => tries >= 1);
    await waitFor(async () => (await execution(hooks, hook)).last_error, { what: 'the pause' });

    clock.reset();
    const triedBefore = tries;
    await waitFor(() => tries > triedBefore, { what: 'another try' });
    context.api.behave = () => 'ok';
    await waitFor(() => refsOf(context, hook).includes('main'));
  });

  it('does not put off a cleanup that was due, and does none early', async () => {
    // Longer than the sweeps that are waited for below: a cleanup must not be due before they end.
    const hooks = await context.start({ branchDeletion: { delaySeconds: 5 }, retryError: 100 });
    const hook = repositoryHook();
    await post(hooks, hook);
    let refused = 0;
    context.api.behave = ({ method }) => {
      if (method !== 'DELETE') return 'ok';
      refused += 1;
      return { refuse: 500 };
    };
    await push(hooks, hook, { deleted: 'due' });
    clock.pass(HOURS_25);
    await waitFor(() => refused >= 1);
    const redis = new Redis(context.redis.url);
    const [id = ''] = await redis.zrange(KEYS.cleanups, 0, '-1');
    await waitFor(async () => Number(await redis.hget(cleanupKey(id), 'nb_errors')) > 0);
    await push(hooks, hook, { deleted: 'not due' });
    await waitFor(async () => (await redis.zcard(KEYS.cleanups)) === 2);
    redis.disconnect();
    // Only who saw the later time can tell that it was put back.
    await swept(context);

    clock.reset();
    context.api.behave = () => 'ok';
    await waitFor(() => context.api.deletions().length > 0);
    await settled(context);
    expect(context.api.deletions().every((url) => url.endsWith('/due'))).toBe(true);
  });

  it('ends a cleanup whose runs the API removes just then', async () => {
    const hooks = await context.start({ branchDeletion: { delaySeconds: 86_400 } });
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'gone' });
    await waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === 1);
    context.api.behave = ({ method }) => {
      if (method === 'DELETE') clock.reset();
      return 'ok';
    };
    clock.pass(HOURS_25);
    await waitFor(() => context.api.deletions().length === 1);
    await settled(context);
    expect(await context.redisClient.zcard(KEYS.cleanups)).toBe(0);
  });
});
