import { once } from 'node:events';
import type { BitbucketCall } from '@cds/bitbucket';
import { connectRedis, vcsKeys } from '@cds/redis';
import { silentLogger, waitFor } from '@cds/testing';
import type { Redis } from 'ioredis';
import { useTestRedis } from '../../test/test-context.fixture';
import { budgetState } from './budget-state';
import { createCallBudget, type CallBudget } from './call-budget';

const CONFIG = {
  holder: 'the OAuth consumer of bb',
  label: 'bb',
  apiUrl: 'https://api.example/2.0',
  clientId: 'the-consumer',
  callsPerHour: 1000,
};
const KEY = vcsKeys.calls(CONFIG);
const call: BitbucketCall = {
  route: '/repositories/{workspace}/{repo_slug}',
  method: 'GET',
  status: 200,
  durationMs: 1,
  isRetry: false,
};

function spend(budget: CallBudget, calls: number): void {
  for (let count = 0; count < calls; count += 1) budget.count(call);
}

describe('the budget of calls', () => {
  const redisServer = useTestRedis();
  const opened: { redis: Redis; budget: CallBudget }[] = [];

  async function create(more: Partial<typeof CONFIG> = {}) {
    const logger = silentLogger();
    const redis = connectRedis({ redis: redisServer().config, logger, name: 'vcs' }, 'client');
    await once(redis, 'ready');
    const budget = createCallBudget({ counter: { ...CONFIG, ...more }, redis, logger });
    opened.push({ redis, budget });
    return budget;
  }

  afterEach(async () => {
    for (const { redis, budget } of opened.splice(0)) {
      await budget.close();
      redis.disconnect();
    }
    await redisServer().flush();
  });

  const spentBy = async (budget: CallBudget) => (await budget.state()).spent;

  it('is that of the consumer, over all replicas and under every name', async () => {
    const [one, replica, sameConsumer, other] = await Promise.all([
      create(),
      create(),
      create({ label: 'the-same-under-another-name' }),
      create({ clientId: 'another' }),
    ]);
    spend(one, 400);
    spend(replica, 100);
    one.count({ ...call, route: '/user/workspaces' });
    for (const each of [one, replica, sameConsumer])
      await waitFor(async () => (await spentBy(each)) === 500, { what: 'all calls' });
    expect(await spentBy(other)).toBe(0);
  });

  it('outlives a restart, and names neither the consumer nor its secret in Redis', async () => {
    const before = await create();
    spend(before, 300);
    await before.close();
    const after = await create();
    expect(await spentBy(after)).toBe(300);
    const redis = opened[0]?.redis;
    const keys = (await redis?.keys('*')) ?? [];
    expect(keys).toEqual([KEY]);
    expect(keys.join()).not.toContain('the-consumer');
    expect(await redis?.ttl(KEY)).toBeGreaterThan(60 * 60);
  });

  it('counts an hour by the clock of Redis, in a few numbers', async () => {
    const budget = await create();
    const redis = opened[0]?.redis as Redis;
    const minute = Math.floor(Number((await redis.time())[0]) / 60);
    // Also what a clock that was set back left in the future.
    const minutes = { [minute - 500]: 70, [minute - 62]: 7, [minute - 30]: 200, [minute + 500]: 9 };
    await redis.hset(KEY, minutes);
    spend(budget, 3);
    await waitFor(async () => (await spentBy(budget)) === 203, { what: 'the sum' });
    await waitFor(async () => (await redis.hlen(KEY)) <= 3, { what: 'old minutes to go' });
    expect(Object.keys(await redis.hgetall(KEY)).map(Number)).toContain(minute - 30);
    expect(await redis.hexists(KEY, String(minute + 500))).toBe(0);
  });

  it('goes on by what it knew and its own calls without Redis, and tells them when it is back', async () => {
    const [one, other] = await Promise.all([create(), create()]);
    spend(other, 500);
    await waitFor(async () => (await spentBy(one)) === 500, { what: 'the calls of the other' });
    await redisServer().kill();
    spend(one, 401);
    expect(await spentBy(one)).toBe(901);
    expect((await one.refusalOfListing())?.status).toBe(429);
    await redisServer().start();
    const redis = opened[0]?.redis as Redis;
    // It begins at nothing, and is told what it missed.
    await waitFor(async () => sum(await redis.hvals(KEY)) === 401, {
      what: 'Redis to be told',
    });
    expect(await spentBy(one)).toBe(401);
    expect(await spentBy(other)).toBe(500);
  });

  it('stops repairs first, then listings, and never a run', async () => {
    const budget = await create();
    spend(budget, 699);
    expect(budget.isShort()).toBe(false);
    expect(await budget.isShortAnywhere()).toBe(false);
    spend(budget, 1);
    expect(budget.isShort()).toBe(true);
    expect(await budget.refusalOfListing()).toBeUndefined();
    spend(budget, 199);
    expect(await budget.refusalOfListing()).toBeUndefined();
    spend(budget, 1);
    const refusal = await budget.refusalOfListing();
    expect(refusal?.message).toContain(
      '900 of the 1000 calls that Bitbucket grants the OAuth consumer of bb in an hour are spent; what is left is kept for runs: list again in 61 min',
    );
    expect(refusal?.headers).toEqual({ 'Retry-After': '3660' });
    expect(await budget.state()).toMatchObject({ spent: 900, left: 100, allowed: 'runs' });
    spend(budget, 200);
    expect(await budget.state()).toMatchObject({ spent: 1_100, left: 0, allowed: 'runs' });
  });

  it('takes a 429 for the end of the budget, on all replicas, for as long as Bitbucket says', async () => {
    const [one, replica, other] = await Promise.all([
      create(),
      create(),
      create({ clientId: 'another' }),
    ]);
    one.count({ ...call, status: 429, retryAfterSeconds: 1 });
    expect(await one.state()).toMatchObject({ left: 0, allowed: 'runs' });
    await waitFor(() => replica.isShortAnywhere(), { what: 'the replica to know' });
    expect(await other.isShortAnywhere()).toBe(false);
    // What Bitbucket asked for is over; repairs wait a quarter of an hour all the same.
    for (const each of [one, replica])
      await waitFor(async () => (await each.refusalOfListing()) === undefined, {
        what: 'listings',
      });
    expect(await one.state()).toMatchObject({ left: 999, allowed: 'the-api' });
    expect(replica.isShort()).toBe(true);
  });

  it('has no end without a limit, but for what Bitbucket says', async () => {
    const budget = await create({ callsPerHour: 0 });
    spend(budget, 5_000);
    expect(await budget.state()).toMatchObject({ spent: 5_000, left: undefined, allowed: 'all' });
    budget.count({ ...call, status: 429 });
    expect((await budget.refusalOfListing())?.message).toContain('Bitbucket refuses more calls');
  });
});

function sum(texts: string[]): number {
  return texts.reduce((total, text) => total + Number(text), 0);
}

describe('budgetState', () => {
  it('says when so many calls are over that listings are allowed again', () => {
    const waitOf = (...calls: [number, number][]) => budgetState(100, { calls }).waitSeconds;
    expect(waitOf([10, 89])).toBe(0);
    expect(waitOf([10, 90])).toBe(51 * 60);
    expect(waitOf([59, 5], [10, 90])).toBe(51 * 60);
    expect(waitOf([59, 6], [10, 90])).toBe(51 * 60);
    expect(waitOf([59, 6], [10, 85])).toBe(2 * 60);
    expect(waitOf([60, 90])).toBe(60);
  });
});
