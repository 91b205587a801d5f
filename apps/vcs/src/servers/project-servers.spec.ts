import { once } from 'node:events';
import type { BitbucketCall } from '@cds/bitbucket';
import { connectRedis, vcsKeys } from '@cds/redis';
import { silentLogger, waitFor } from '@cds/testing';
import type { Redis } from 'ioredis';
import { useTestRedis } from '../../test/test-context.fixture';
import { countedTogether, projectKey } from '../credentials/project-credential';
import type { VcsProject } from '../credentials/project-headers';
import { createVcsMetrics } from '../monitoring/vcs-metrics';
import { createProjectServers } from './project-servers';

const apiUrl = 'https://api.example/2.0';
const call: BitbucketCall = {
  route: '/repositories/{workspace}/{repo_slug}',
  method: 'GET',
  status: 200,
  durationMs: 1,
  isRetry: false,
};

describe('the servers of VCS projects', () => {
  const redisServer = useTestRedis();
  let redis: Redis;

  beforeEach(async () => {
    redis = connectRedis(
      { redis: redisServer().config, logger: silentLogger(), name: 'vcs' },
      'client',
    );
    await once(redis, 'ready');
  });

  afterEach(async () => {
    await redisServer().flush();
    redis.disconnect();
  });

  const create = () =>
    createProjectServers({ redis, logger: silentLogger(), metrics: createVcsMetrics(undefined) });

  const project = (token: string, user?: string): VcsProject => ({
    ...{ apiUrl, url: 'https://bitbucket.org', user, token, part: undefined },
  });

  const counted = async (one: VcsProject) => {
    const minutes = await redis.hvals(vcsKeys.calls({ apiUrl, clientId: countedTogether(one) }));
    return minutes.reduce((sum, calls) => sum + Number(calls), 0);
  };

  it('are one for each credential, found by its key', () => {
    const servers = create();
    const { server } = servers.of(project('one'));
    expect(servers.of(project('one')).server).toBe(server);
    expect(servers.of(project('two')).server).not.toBe(server);
    expect(servers.of(project('one', 'jdoe@example.com')).server).not.toBe(server);
    expect(servers.find(projectKey(project('one')))?.server).toBe(server);
    expect(servers.find(projectKey(project('three')))).toBeUndefined();
  });

  it('are bounded, and no call of one that falls out remains uncounted', async () => {
    const servers = create();
    const { server } = servers.of(project('first'));
    server.budget.count(call);
    for (let number = 0; number < 400; number += 1) servers.of(project(`token-${number}`));
    expect(servers.budgets()).toHaveLength(300);
    await waitFor(async () => (await counted(project('first'))) === 1);

    // A request that is still under way.
    server.budget.count(call);
    await servers.close();
    expect(await counted(project('first'))).toBe(2);
  });

  it('come back as they were while a request may still use them', () => {
    const servers = create();
    const { server } = servers.of(project('first'));
    for (let number = 0; number < 300; number += 1) servers.of(project(`token-${number}`));
    expect(servers.of(project('first')).server).toBe(server);
    expect(servers.budgets()).toHaveLength(300);
  });
});
