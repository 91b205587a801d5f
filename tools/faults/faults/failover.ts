import { join } from 'node:path';
import { startTestRedis, type TestRedis, waitFor } from '@cds/testing';
import type { Stage } from '../stage/stage';
import { mustBe, mustHaveRefused, workOn, type Fault } from './fault';

const HOST = '127.0.0.1';
const PROJECT = 'SHOP';
const SERVER = 'bitbucketcloud';
const REPOSITORY = '/repos/acme/web-shop';

async function follow(replica: TestRedis, master: TestRedis): Promise<void> {
  await replica.ask((redis) => redis.replicaof(HOST, master.port));
  await waitFor(
    async () =>
      (await replica.ask((redis) => redis.info('replication'))).includes('link_status:up'),
    { what: 'the replica to have everything' },
  );
}

/**
 * A call of the API on behalf of the project; its access token has expired, so that the grant is
 * renewed.
 */
async function renew(stage: Stage): Promise<void> {
  stage.bitbucket.oauth.expireAccessTokens();
  await call(stage);
}

/**
 * Until it is answered: the connection to Redis may just have been cut. What is refused for good is
 * not.
 */
async function call(stage: Stage): Promise<void> {
  await waitFor(
    async () => {
      await stage.api.callVcs(PROJECT, SERVER, 'GET', `${REPOSITORY}/branches`);
      return true;
    },
    { what: '`vcs` to answer' },
  );
}

export const FAILOVER: Fault[] = [
  {
    name: 'failover-after-renewal',
    what: 'Redis fails over to a replica that lacks a renewed grant',
    checks: '`vcs` writes it again, for every `vcs`; no refresh token is sent twice',
    stage: { redisProxy: true, polling: 'pollers' },
    seconds: 15,
    async play(stage) {
      const { redis, proxy, bitbucket } = stage;
      const replica = await startTestRedis({
        appendonly: true,
        folder: join(stage.folder, 'replica'),
      });
      stage.onClose(replica.stop);
      await call(stage);
      await renew(stage);
      await follow(replica, redis);
      const refused = bitbucket.oauth.counts.refused;
      stage.faultBegins();
      // It is cut off, and gets nothing any more.
      await replica.ask((one) => one.replicaof('NO', 'ONE'));
      for (let renewals = stage.random.between(1, 3); renewals > 0; renewals -= 1)
        await renew(stage);
      await redis.kill();
      proxy.switchTo(replica.port);
      stage.faultEnds();
      await renew(stage);
      await stage.vcs.kill();
      await stage.vcs.start();
      await renew(stage);
      mustBe(bitbucket.oauth.counts.refused === refused, 'A refresh token was sent twice.');
      // What is compared at the end is read there.
      await redis.start();
      await follow(redis, replica);
      await workOn(stage.load());
    },
  },
  {
    name: 'sentinel-failover',
    what: 'the master freezes under load until Sentinels, with password and TLS, choose another',
    checks: '503 meanwhile; no run is asked for again',
    stage: { sentinel: true },
    seconds: 30,
    async play(stage) {
      const { redis, sentinels } = stage;
      if (!sentinels) throw new Error('The stage has no Sentinels');
      const random = stage.random.fork('API');
      stage.gate.judge(() => ({ kind: 'slow', ms: random.between(1, 100) }));
      const load = stage.load();
      await load.accepted(stage.random.between(15, 40));
      stage.faultBegins();
      // What it answered is with the replicas: a kill would cut that off.
      sentinels.freezeMaster();
      await sentinels.failedOver();
      await redis.kill();
      await redis.start();
      await sentinels.follows();
      stage.faultEnds();
      mustHaveRefused(stage);
      await workOn(load);
    },
  },
];
