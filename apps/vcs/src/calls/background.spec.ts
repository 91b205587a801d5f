import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '@cds/redis';
import { silentLogger, waitFor } from '@cds/testing';
import { once } from 'node:events';
import { useTestRedis } from '../../test/vcs-harness.fixture';
import { createBackgroundWork } from './background-work';
import { createCallBudget } from './call-budget';

describe('background work', () => {
  function create(longestMs = 5_000) {
    const errors: unknown[] = [];
    const work = createBackgroundWork({
      atOnce: 2,
      waiting: 3,
      longestMs,
      onError: (error) => errors.push(error),
    });
    return { work, errors };
  }

  it('is so much at once, so much waiting, and no more', async () => {
    const { work } = create();
    let running = 0;
    let most = 0;
    let done = 0;
    const job = async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(20);
      running -= 1;
      done += 1;
    };
    const added = Array.from({ length: 8 }, () => work.add(job));
    expect(added).toEqual([true, true, true, true, true, false, false, false]);
    await waitFor(() => done === 5, { what: 'all that was taken' });
    expect(most).toBe(2);
    expect(work.add(job)).toBe(true);
    await waitFor(() => done === 6, { what: 'the next' });
  });

  it('goes on after work that failed or hung', async () => {
    const { work, errors } = create(50);
    let done = false;
    work.add(() => Promise.reject(new Error('no')));
    work.add(() => new Promise<void>(() => undefined));
    work.add(() => new Promise<void>(() => undefined));
    work.add(async () => void (done = true));
    await waitFor(() => done && errors.length === 3, { what: 'the last' });
  });

  it('ends at once when it is closed, and takes nothing more', async () => {
    const { work, errors } = create();
    const ended: boolean[] = [];
    const job = ({ signal }: { signal: AbortSignal }) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => {
          ended.push(true);
          reject(new Error('ended'));
        });
      });
    for (let count = 0; count < 4; count += 1) work.add(job);
    await sleep(1);
    work.close();
    await waitFor(() => errors.length === 2, { what: 'the end' });
    expect(ended).toHaveLength(2);
    expect(work.add(job)).toBe(false);
  });
});

describe('the budget of calls', () => {
  const redisServer = useTestRedis();
  const call = { method: 'GET', durationMs: 1, status: 200, isRetry: false };

  it('is short near the end of the hour’s calls about repositories, and after a 429', async () => {
    const logger = silentLogger();
    const redis = connectRedis({ redis: redisServer().config, logger, name: 'vcs' }, 'client');
    await once(redis, 'ready');
    const create = (server: string) => createCallBudget({ redis, logger, server });
    const [one, same, other] = [create('a'), create('a'), create('b')];

    for (let count = 0; count < 2_000; count += 1)
      one.count({ ...call, route: '/user/workspaces' });
    for (let count = 0; count < 699; count += 1)
      one.count({ ...call, route: '/repositories/{workspace}/{repo_slug}' });
    expect(await one.isShortAnywhere()).toBe(false);
    one.count({ ...call, route: '/repositories/{workspace}' });
    expect(one.isShort()).toBe(true);

    expect(await same.isShortAnywhere()).toBe(false);
    one.count({ ...call, status: 429, route: '/repositories/{workspace}' });
    await waitFor(() => same.isShortAnywhere(), { what: 'the other replica to know' });
    expect(same.isShort()).toBe(false);
    expect(await other.isShortAnywhere()).toBe(false);
    redis.disconnect();
  });
});
