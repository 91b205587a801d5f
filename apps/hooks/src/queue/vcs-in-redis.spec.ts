import { redisNowMs, vcsKeys } from '@cds/redis';
import { captureLogger, waitFor } from '@cds/testing';
import { useTestContext } from '../../test/test-context';
import { createVcsReadiness } from './vcs-readiness';
import { isVcsInRedis } from './vcs-in-redis';

describe('vcs, of which the API does not tell', () => {
  const context = useTestContext();

  const seenBefore = async (agoMs: number) =>
    context.redisClient.hset(vcsKeys.state, {
      format: '1',
      'owner:other': String((await redisNowMs(context.redisClient)) - 3_600_000),
      'owner:this': String((await redisNowMs(context.redisClient)) - agoMs),
    });

  it('runs where it was seen seconds ago, or has another Redis', async () => {
    expect(await isVcsInRedis(context.redisClient)).toBe(true);
    await seenBefore(60_000);
    expect(await isVcsInRedis(context.redisClient)).toBe(false);
    await seenBefore(0);
    expect(await isVcsInRedis(context.redisClient)).toBe(true);
  });

  it('is waited for from CDS 0.51 on, without a call of the API', async () => {
    await seenBefore(60_000);
    const { logger, lines } = captureLogger();
    const readiness = createVcsReadiness({
      api: { vcsServers: () => Promise.reject(new Error('must not be asked')) },
      registration: { registerNow: () => Promise.resolve(), apiVersion: '0.57.0' },
      isVcsInRedis: () => isVcsInRedis(context.redisClient),
      logger,
      ending: new AbortController().signal,
      waitMs: 600_000,
    });
    let isReady = false;
    const waiting = readiness.wait().then(() => (isReady = true));
    await waitFor(() => lines.length > 0);
    expect(lines[0]).toMatchObject({ msg: 'runs wait for vcs: the API reaches none yet' });
    expect(isReady).toBe(false);
    await seenBefore(0);
    await waiting;
  });
});
