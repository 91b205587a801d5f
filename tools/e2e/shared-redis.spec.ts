import { startTestRedis, type TestRedis } from '@cds/testing';
import { Redis } from 'ioredis';
import {
  createWorkflow,
  outcomes,
  PROJECT,
  pendingCleanups,
  REPO,
  runsOf,
  startStack,
  type Stack,
} from './stack.fixture';

describe('two CDS that share a Redis under two key prefixes', () => {
  let redis: TestRedis;
  let client: Redis;
  const stacks: Stack[] = [];

  beforeAll(async () => {
    redis = await startTestRedis({ appendonly: true });
    client = new Redis(redis.url);
    // Any other key, also one that a script makes up, is refused from here on.
    await client.acl('SETUSER', 'default', 'resetkeys', '~one:*', '~two:*');
    for (const keyPrefix of ['one:', 'two:'])
      stacks.push(await startStack({ api: { cds: '0.41' }, shared: { redis, keyPrefix } }));
  });
  afterAll(async () => {
    client.disconnect();
    await Promise.all(stacks.map((stack) => stack.stop()));
    await redis.stop();
  });

  it('build what is pushed to each, keep what is scheduled for each, and write nothing beside', async () => {
    for (const stack of stacks) {
      await stack.startLinked({ CDS_HOOKS_BRANCHDELETION_DELAY: '3600' });
      await createWorkflow(stack, 'builds');
      const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'dev' });
      expect(await outcomes(pushed)).toEqual([200]);
      await runsOf(stack, 'builds', 1);
      const deleted = await stack.bitbucket.deleteBranch({ repo: REPO, branch: 'dev' });
      expect(await outcomes(deleted)).toEqual([200]);
    }

    for (const stack of stacks) {
      expect(stack.api.runs(PROJECT, 'builds')).toHaveLength(1);
      expect(await pendingCleanups(stack)).toEqual(['dev']);
      const tasks = await stack.api.tasks();
      expect(tasks.filter(({ type }) => type === 'RepoWebHook')).toHaveLength(1);
    }
    await client.acl('SETUSER', 'default', 'allkeys');
    const keys = await client.keys('*');
    expect(keys.filter((key) => !/^(one|two):cdsbb:(hooks|vcs):/.test(key))).toEqual([]);
    for (const part of ['one:cdsbb:hooks:', 'one:cdsbb:vcs:', 'two:cdsbb:hooks:', 'two:cdsbb:vcs:'])
      expect(keys.filter((key) => key.startsWith(part)).length).toBeGreaterThan(2);
  });
});
