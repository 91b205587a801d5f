import { connectRedis, whenReady } from '@cds/redis';
import { silentLogger, startTestRedis, waitFor, type TestRedis } from '@cds/testing';
import { createOncePerCluster } from '@cds/hooks-store';

const KEY = 'cdsbb:test:turn';

describe('createOncePerCluster', () => {
  let redis: TestRedis;
  let connection: ReturnType<typeof connectRedis>;
  const replica = (ttlMs?: number) =>
    createOncePerCluster({ redis: connection, key: KEY, ttlMs, pollMs: 5 });

  beforeAll(async () => {
    redis = await startTestRedis();
    const logger = silentLogger();
    connection = connectRedis({ redis: redis.config, logger, name: 'turn' }, 'client');
    await whenReady(connection, 60_000);
  });
  afterAll(async () => {
    connection.disconnect();
    await redis.stop();
  });
  beforeEach(() => redis.flush());

  /** Work that lasts until it is let go. */
  function heldWork(result: number) {
    let letGo: (() => void) | undefined;
    let began = 0;
    return {
      began: () => began,
      letGo: () => letGo?.(),
      work: async () => {
        began += 1;
        await new Promise<void>((resolve) => (letGo = resolve));
        return result;
      },
    };
  }

  it('does at once what nobody did, and again when it is needed again', async () => {
    let done = 0;
    const oncePerCluster = replica();
    await oncePerCluster(async () => ++done);
    await oncePerCluster(async () => ++done);
    expect(done).toBe(2);
  });

  it('lets the others do without what one of them did after they needed it', async () => {
    const first = heldWork(1);
    const second = heldWork(7);
    const early = replica()(first.work);
    await waitFor(() => first.began() === 1, { what: 'the first to begin' });
    // What the first does was begun before these needed it.
    const late = [replica()(second.work), replica()(second.work), replica()(second.work)];
    await waitFor(async () => (await connection.exists(KEY)) === 1, { what: 'the lock' });
    first.letGo();
    await waitFor(() => second.began() === 1, { what: 'one of the others to begin' });
    second.letGo();
    expect(await early).toBe(1);
    expect(await Promise.all(late)).toEqual([7, 7, 7]);
    expect(second.began()).toBe(1);
  });

  it('leaves it to the next when it fails', async () => {
    const fails = replica()(() => Promise.reject(new Error('no API')));
    const works = replica()(async () => 3);
    await expect(fails).rejects.toThrow('no API');
    expect(await works).toBe(3);
  });

  it('goes on without a holder that died', async () => {
    await connection.set(KEY, 'somebody who is gone', 'PX', 50);
    expect(await replica(50)(async () => 4)).toBe(4);
  });

  it('does it itself when the turn never comes', async () => {
    await connection.set(KEY, 'somebody who hangs');
    expect(await replica(20)(async () => 5)).toBe(5);
  });

  it('ends waiting with the service', async () => {
    await connection.set(KEY, 'somebody else');
    const ending = new AbortController();
    const waiting = replica()(async () => 6, ending.signal);
    ending.abort();
    await expect(waiting).rejects.toThrow();
  });
});
