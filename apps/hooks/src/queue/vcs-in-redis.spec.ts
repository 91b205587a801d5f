import { vcsKeys } from '@cds/redis';
import { captureLogger, waitFor } from '@cds/testing';
import { useTestContext } from '../../test/test-context';
import { createVcsInRedis, createVcsReadiness } from './vcs-readiness';

describe('vcs, of which the API does not tell', () => {
  const context = useTestContext();

  /** What a `vcs` leaves behind that ran a moment ago. */
  async function ranBefore(): Promise<void> {
    await context.redisClient.hset(vcsKeys.state, { format: '1' });
    await context.redisClient.set(vcsKeys.alive, 'before');
  }

  it('runs where it shows so after the first look, or has another Redis', async () => {
    expect(await createVcsInRedis(context.redisClient)()).toBe(true);
    await ranBefore();
    const isThere = createVcsInRedis(context.redisClient);
    expect([await isThere(), await isThere()]).toEqual([false, false]);
    await context.redisClient.del(vcsKeys.alive);
    expect(await isThere()).toBe(false);
    await context.redisClient.set(vcsKeys.alive, 'now');
    expect(await isThere()).toBe(true);
  });

  it('is waited for from CDS 0.51 on, without a call of the API', async () => {
    await ranBefore();
    const { logger, lines } = captureLogger();
    const readiness = createVcsReadiness({
      api: { vcsServers: () => Promise.reject(new Error('must not be asked')) },
      registration: { registerNow: () => Promise.resolve(), apiVersion: '0.57.0' },
      redis: context.redisClient,
      logger,
      ending: new AbortController().signal,
      waitMs: 600_000,
    });
    let isReady = false;
    const waiting = readiness.wait().then(() => (isReady = true));
    await waitFor(() => lines.length > 0);
    expect(lines[0]).toMatchObject({ msg: 'runs wait for vcs: the API reaches none yet' });
    expect(isReady).toBe(false);
    await context.redisClient.set(vcsKeys.alive, 'now');
    await waiting;
  });
});
