import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  awakeTime,
  captureLogger,
  disconnect,
  freePort,
  silentLogger,
  startProcess,
  startTestRedis,
  waitFor,
  type TestRedis,
  takesTime,
  provesNothingHappensFor,
} from '@cds/testing';
import {
  connectRedis,
  defineScript,
  keyArgument,
  LockTimeoutError,
  replies,
  watchRedisHealth,
  whenReady,
  withLock,
  withoutKeyPrefix,
  type RedisConfigLike,
} from './index';
import type { RedisRole } from './connect-redis';
import { redisHealthWarnings } from './redis-health-warnings';
import { UnexpectedReplyError } from './script-reply';

const open: Redis[] = [];

function connect(redis: RedisConfigLike, role: RedisRole = 'client', logger = silentLogger()) {
  const connection = connectRedis({ redis, logger, name: 'a test' }, role);
  open.push(connection);
  return connection;
}

async function ready(connection: Redis): Promise<Redis> {
  await waitFor(() => connection.status === 'ready', { what: 'the connection' });
  return connection;
}

/** What ioredis says where it does not wait for a connection. */
const NOT_CONNECTED = "Stream isn't writeable";

/** Once Redis has the connection wait in a BLPOP. */
async function blocks(connection: Redis, id: number): Promise<void> {
  const isBlocked = async (): Promise<boolean> =>
    String(await connection.client('LIST', 'ID', id)).includes(' cmd=blpop ');
  await waitFor(isBlocked, { what: 'the blocking command' });
}

/** Before its server is stopped: a connection that is between two attempts would keep a timer. */
function disconnectAll(): void {
  disconnect(...open.splice(0));
}
afterEach(disconnectAll);

describe('connectRedis', () => {
  let server: TestRedis;
  beforeEach(async () => {
    server = await startTestRedis({ appendonly: true });
  });
  afterEach(async () => {
    disconnectAll();
    await server.stop();
  });

  it('returns at once and fails fast while Redis was never there', async () => {
    await server.kill();
    const redis = connect(server.config);
    await expect(redis.get('a')).rejects.toThrow(NOT_CONNECTED);
    await waitFor(() => redis.status === 'reconnecting');
    // A pipeline gives an error for each command.
    expect(await redis.pipeline().get('a').exec()).toMatchObject([
      [{ message: expect.stringContaining(NOT_CONNECTED) }],
    ]);

    await server.start();
    await ready(redis);
    expect(await redis.set('a', '1')).toBe('OK');
  });

  it('fails what is under way when Redis dies, and comes back by itself', async () => {
    const redis = await ready(connect(server.config));
    const controller = await ready(connect(server.config));
    const id = await redis.client('ID');
    const pending = redis.blpop('nothing', 30);
    await blocks(controller, id);
    const failed = expect(pending).rejects.toThrow();
    await server.kill();
    await failed;
    await expect(redis.get('a')).rejects.toThrow(NOT_CONNECTED);
    await server.start();
    await ready(redis);
    expect(await redis.get('a')).toBeNull();
  });

  it('never sends a command twice', async () => {
    const redis = await ready(connect(server.config));
    const controller = await ready(connect(server.config));
    // The connection drops while an INCR waits behind a blocking command.
    const id = await redis.client('ID');
    const blocked = expect(redis.blpop('nothing', 30)).rejects.toThrow();
    const waiting = expect(redis.incr('counter')).rejects.toThrow();
    await blocks(controller, id);
    await controller.client('KILL', 'ID', id);
    await blocked;
    await waiting;
    await ready(redis);
    await provesNothingHappensFor(100);
    expect(await redis.get('counter')).toBeNull();
  });

  it('fails within about 2 s when Redis is frozen, also while connecting', async () => {
    const redis = await ready(connect(server.config));
    server.freeze();
    const late = connect(server.config);
    const timeToFail = (work: () => Promise<unknown>) =>
      awakeTime(() => expect(work()).rejects.toThrow());
    expect(await timeToFail(() => redis.get('a'))).toBeLessThan(2_500);
    expect(await timeToFail(() => redis.multi().set('a', '1').exec())).toBeLessThan(2_500);
    expect(await timeToFail(() => late.get('a'))).toBeLessThan(2_500);
    server.thaw();
    await ready(late);
    await waitFor(() => redis.ping(), { what: 'the first connection to be usable again' });
  });

  it('gives up a connection over which no answer comes any more', async () => {
    const { logger, lines } = captureLogger();
    const redis = await ready(connect(server.config, 'client', logger));
    server.freeze();
    await expect(redis.get('a')).rejects.toThrow();
    await waitFor(() => lines.length > 0, { what: 'the warning' });
    server.thaw();
    await waitFor(() => lines.length > 1, { what: 'the return' });
    expect(lines[0]).toMatchObject({
      level: 40,
      reason: expect.stringContaining('Socket timeout'),
    });
    expect(await redis.ping()).toBe('PONG');
  });

  it('lets a worker wait for Redis', async () => {
    await server.kill();
    const redis = connect(server.config, 'worker');
    const answer = redis.ping();
    await takesTime(500);
    await server.start();
    expect(await answer).toBe('PONG');
  });

  it('warns once per outage and says once that it is over', async () => {
    const { logger, lines } = captureLogger();
    const redis = await ready(connect(server.config, 'client', logger));
    expect(lines).toEqual([]);
    for (let outage = 0; outage < 2; outage++) {
      await server.kill();
      await waitFor(() => lines.length === 2 * outage + 1, { what: 'the warning' });
      await takesTime(100);
      await server.start();
      await ready(redis);
    }
    const seen = { connection: 'a test', address: `127.0.0.1:${server.port}` };
    expect(lines).toMatchObject([
      { level: 40, msg: 'Redis cannot be reached; trying again until it answers', ...seen },
      { level: 30, msg: 'Redis is back', outageMs: expect.any(Number), ...seen },
      { level: 40, ...seen },
      { level: 30, ...seen },
    ]);
  });

  it('says nothing when it is closed on purpose', async () => {
    const { logger, lines } = captureLogger();
    const redis = await ready(connect(server.config, 'client', logger));
    redis.disconnect();
    await waitFor(() => redis.status === 'end');
    expect(lines).toEqual([]);
  });

  it('keeps trying with a refused password, and does not log it', async () => {
    const guarded = await startTestRedis({ args: ['--requirepass', 'right-password'] });
    try {
      const { logger, lines } = captureLogger();
      const wrong = { ...guarded.config, password: 'wrong-password' };
      const redis = connect(wrong, 'client', logger);
      await waitFor(() => lines.length > 0, { what: 'the warning' });
      const refusal = {
        msg: 'Redis refuses the password: correct cache.redis.password',
        reason: expect.stringContaining('WRONGPASS'),
      };
      expect(lines[0]).toMatchObject(refusal);
      // Also where it was away before, and once in each outage.
      await guarded.kill();
      await guarded.start();
      const admin = await ready(connect(guarded.config));
      const refused = async () => {
        const [entry] = (await admin.call('ACL', 'LOG')) as unknown[][];
        return Number(entry?.[1]);
      };
      await waitFor(async () => (await refused()) >= 3, { what: 'further refusals' });
      expect(lines.filter(({ msg }) => msg === refusal.msg)).toHaveLength(1);
      expect(JSON.stringify(lines)).not.toContain('wrong-password');
      await admin.config('SET', 'requirepass', 'wrong-password');
      await ready(redis);
      expect(await redis.ping()).toBe('PONG');
      expect(lines.at(-1)).toMatchObject({ msg: 'Redis is back' });

      await admin.config('SET', 'requirepass', 'another-password');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await waitFor(() => lines.filter(({ msg }) => msg === refusal.msg).length === 2, {
        what: 'the refusal after a loss of the connection',
      });
    } finally {
      disconnectAll();
      await guarded.stop();
    }
  });
});

describe('connectRedis with a password that changes', () => {
  it('takes it for its next connection, and for those of its duplicates', async () => {
    const guarded = await startTestRedis({ args: ['--requirepass', 'old-password'] });
    try {
      const config = { ...guarded.config, password: 'old-password' };
      const client = await ready(connect(config));
      const own = withoutKeyPrefix({ redis: config, logger: silentLogger(), name: 'a worker' });
      const worker = await ready(connectRedis(own, 'worker'));
      const duplicate = await ready(worker.duplicate());
      const late = worker.duplicate({ lazyConnect: true });
      open.push(worker, duplicate, late);
      config.password = 'new-password';
      await client.config('SET', 'requirepass', 'new-password');
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined);
      const answers = async (): Promise<boolean> =>
        (await client.ping().catch(() => '')) === 'PONG';
      await waitFor(answers, { what: 'the client to be back' });
      expect(await Promise.all([worker.ping(), duplicate.ping()])).toEqual(['PONG', 'PONG']);
      // Made of the options of before.
      late.on('error', () => undefined);
      await late.connect().catch(() => undefined);
      expect(await (await ready(late)).ping()).toBe('PONG');
    } finally {
      disconnectAll();
      await guarded.stop();
    }
  });
});

describe('connectRedis to a replica that stays read-only', () => {
  it('looks for another master at once, and then now and then', async () => {
    const server = await startTestRedis();
    try {
      const { logger, lines } = captureLogger();
      const redis = await ready(connect(server.config, 'client', logger));
      await (await ready(connect(server.config))).replicaof('127.0.0.1', 1);
      const refusals = 40;
      for (let refused = 0; refused < refusals; await setImmediate())
        // While the connection is made anew, an error says so.
        await redis.set('a', '1').catch((error: Error) => {
          if (error.message.startsWith('READONLY')) refused += 1;
        });
      const outages = lines.filter(({ msg }) => String(msg).startsWith('Redis cannot be reached'));
      expect(outages.length).toBeGreaterThan(0);
      expect(outages.length).toBeLessThan(refusals / 4);
    } finally {
      disconnectAll();
      await server.stop();
    }
  });
});

describe('connectRedis through Sentinel', () => {
  it('finds the master, sends the password to it alone, and follows a failover', async () => {
    const password = 'of-the-master';
    const auth = ['--requirepass', password, '--masterauth', password];
    const one = await startTestRedis({ args: auth });
    const two = await startTestRedis({ args: [...auth, '--replicaof', `127.0.0.1 ${one.port}`] });
    const folder = mkdtempSync(join(tmpdir(), 'cds-test-sentinel-'));
    const port = await freePort();
    const file = join(folder, 'sentinel.conf');
    writeFileSync(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${folder}`,
        `sentinel monitor cds 127.0.0.1 ${one.port} 1`,
        `sentinel auth-pass cds ${password}`,
        'sentinel down-after-milliseconds cds 500',
        'sentinel failover-timeout cds 3000',
      ].join('\n'),
    );
    const sentinel = await startProcess({
      command: 'redis-server',
      args: [file, '--sentinel'],
      env: { PATH: process.env['PATH'] },
    });
    const away = await freePort();
    try {
      const { logger, lines } = captureLogger();
      const config: RedisConfigLike = {
        password,
        address: {
          kind: 'sentinel',
          name: 'cds',
          sentinels: [
            { host: '127.0.0.1', port: away },
            { host: '127.0.0.1', port },
          ],
        },
      };
      const redis = connect(config, 'client', logger);
      await waitFor(() => redis.set('a', '1'), { what: 'the master' });
      expect(await redis.config('GET', 'port')).toEqual(['port', String(one.port)]);

      const replica = await ready(connect(two.config));
      const watcher = connect({
        password: '',
        address: { kind: 'single', host: '127.0.0.1', port },
      });
      await ready(watcher);
      await waitFor(async () => (await replica.get('a')) === '1', { what: 'the replica' });
      await waitFor(
        async () => {
          const replicas = (await watcher.call('SENTINEL', 'REPLICAS', 'cds')) as string[][];
          return replicas.length === 1 && !JSON.stringify(replicas).includes('disconnected');
        },
        { what: 'the sentinel to know the replica' },
      );

      await one.kill();
      await waitFor(() => redis.set('a', '2'), { what: 'the failover' });
      expect(await replica.get('a')).toBe('2');
      expect(lines[0]).toMatchObject({ address: `cds@127.0.0.1:${away},127.0.0.1:${port}` });
      expect(JSON.stringify(lines)).not.toContain(password);
    } finally {
      disconnectAll();
      sentinel.kill('SIGKILL');
      await sentinel.exited;
      rmSync(folder, { recursive: true, force: true });
      await Promise.all([one.stop(), two.stop()]);
    }
  });
});

describe('with one Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());

  describe('defineScript', () => {
    const PAIR = defineScript({
      name: 'pair',
      keys: ['key'],
      args: ['first', 'second'],
      reply: replies.listOf(replies.text),
      lua: (K, A) => `return {${K.key}, ${A.first}, ${A.second}}`,
    });

    it('runs on a Redis that does not know the script, and again after it forgot', async () => {
      const redis = await ready(connect(server.config));
      const run = PAIR.on(redis);
      const keys = { key: 'k' };
      expect(await run(keys, { first: 1, second: 'b' })).toEqual(['k', '1', 'b']);
      expect(await run(keys, { first: true, second: 'b' })).toEqual(['k', '1', 'b']);
      await redis.script('FLUSH');
      expect(await run(keys, { second: 'c', first: 2 })).toEqual(['k', '2', 'c']);
    });

    it('sends a script whole once on a connection, and costs a pipeline nothing', async () => {
      const redis = await ready(connect(server.config));
      const admin = await ready(connect(server.config));
      const stats = async () => {
        const text = await admin.info('commandstats');
        return ['eval', 'evalsha'].map((name) =>
          Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(text)?.[1] ?? 0),
        );
      };
      await admin.config('RESETSTAT');
      for (let i = 0; i < 3; i++) await PAIR.on(redis)({ key: 'k' }, { first: i, second: '' });
      expect(await stats()).toEqual([1, 2]);
      expect(Object.keys(redis.pipeline())).not.toContain('pair');
    });

    it('takes names alone that it declares, and as many of `each` as there are', async () => {
      const redis = await ready(connect({ ...server.config, keyPrefix: 'team:' }));
      const run = defineScript({
        name: 'many',
        keys: [],
        args: ['prefix'],
        each: ['name', 'value'],
        reply: replies.records({ key: replies.text, value: replies.numeral }),
        lua: (_K, A, EACH) => `
local pairs = {}
for i = ${EACH.range} do
  pairs[#pairs + 1] = ${A.prefix} .. ${EACH.name}
  pairs[#pairs + 1] = ${EACH.value}
end
return pairs`,
      }).on(redis);
      const given = [
        { name: 'a', value: 1 },
        { name: 'b', value: 2 },
      ];
      expect(await run({}, { prefix: keyArgument('k:') }, given)).toEqual([
        { key: 'team:k:a', value: 1 },
        { key: 'team:k:b', value: 2 },
      ]);
      expect(await run({}, { prefix: '' }, [])).toEqual([]);
      // @ts-expect-error: the argument is missing
      await run({}, {}, []);
      // @ts-expect-error: `each` is missing
      await run({}, { prefix: '' });
      // @ts-expect-error: the key is misspelt
      await PAIR.on(redis)({ kay: 'k' }, { first: 1, second: 2 }).catch(() => undefined);
      // @ts-expect-error: the script names a key that it does not declare
      defineScript({ name: 'a', keys: ['a'], args: [], reply: replies.ignored, lua: (K) => K.b });
    });

    it('passes the errors of a script on, and refuses what it does not return', async () => {
      const redis = await ready(connect(server.config));
      const returns = (lua: string) =>
        defineScript({
          name: 'returns',
          keys: ['key'],
          args: [],
          reply: replies.variants({ ok: { count: replies.number }, lost: {} }),
          lua: () => `return ${lua}`,
        }).on(redis)({ key: 'k' }, {});
      await expect(returns('redis.error_reply("MINE no")')).rejects.toThrow('MINE no');
      expect(await returns('{"ok", 3}')).toEqual({ kind: 'ok', count: 3 });
      expect(await returns('{"lost"}')).toEqual({ kind: 'lost' });
      for (const other of ['"ok"', '{"ok"}', '{"ok", "3"}', '{"gone"}', '{}', 'nil'])
        await expect(returns(other)).rejects.toThrow(UnexpectedReplyError);
    });
  });

  describe('withLock', () => {
    it('lets one holder in at a time, over two connections', async () => {
      const [one, two] = await Promise.all([
        ready(connect(server.config)),
        ready(connect(server.config)),
      ]);
      let inside = 0;
      let most = 0;
      const work = async (): Promise<number> => {
        most = Math.max(most, ++inside);
        await takesTime(20);
        return --inside;
      };
      const options = { ttlMs: 60_000, waitMs: 60_000, pollMs: 5 };
      await Promise.all(
        [one, two, one, two, one].map((redis) => withLock(redis, 'lock:a', options, work)),
      );
      expect(most).toBe(1);
      expect(await one.exists('lock:a')).toBe(0);
    });

    it('gives up after the wait, naming the lock', async () => {
      const redis = await ready(connect(server.config));
      await redis.set('lock:b', 'somebody', 'PX', 60_000);
      const began = Date.now();
      const waiting = withLock(redis, 'lock:b', { ttlMs: 1_000, waitMs: 200 }, async () => 1);
      await expect(waiting).rejects.toThrow(LockTimeoutError);
      expect(Date.now() - began).toBeGreaterThanOrEqual(195);
      await expect(
        withLock(redis, 'lock:b', { ttlMs: 1_000, waitMs: 0 }, async () => 1),
      ).rejects.toThrow('The lock lock:b was not free within 0 ms');
      expect(await redis.get('lock:b')).toBe('somebody');
    });

    it('gets the lock of a holder that died when it expires', async () => {
      const redis = await ready(connect(server.config));
      await redis.set('lock:c', 'dead', 'PX', 150);
      const options = { ttlMs: 1_000, waitMs: 60_000, pollMs: 10 };
      expect(await withLock(redis, 'lock:c', options, async () => 'mine')).toBe('mine');
    });

    it('does not free the lock of the next holder when its own has expired', async () => {
      const redis = await ready(connect(server.config));
      const options = { ttlMs: 50, waitMs: 0 };
      await withLock(redis, 'lock:d', options, async () => {
        await waitFor(async () => (await redis.exists('lock:d')) === 0);
        await redis.set('lock:d', 'the next', 'PX', 60_000, 'NX');
      });
      expect(await redis.get('lock:d')).toBe('the next');
    });

    it('frees the lock when the work fails, and passes its error on', async () => {
      const redis = await ready(connect(server.config));
      const failing = withLock(redis, 'lock:e', { ttlMs: 60_000, waitMs: 0 }, async () => {
        throw new Error('of the work');
      });
      await expect(failing).rejects.toThrow('of the work');
      expect(await redis.exists('lock:e')).toBe(0);
    });

    it('stops waiting when told to', async () => {
      const redis = await ready(connect(server.config));
      await redis.set('lock:f', 'somebody', 'PX', 60_000);
      const stop = new AbortController();
      const waiting = withLock(
        redis,
        'lock:f',
        { ttlMs: 1_000, waitMs: 60_000, signal: stop.signal },
        async () => 1,
      );
      setTimeout(() => stop.abort(new Error('enough')), 50);
      await expect(waiting).rejects.toThrow('enough');
    });
  });

  describe('whenReady', () => {
    it('resolves with the connection, and without it when the time is over', async () => {
      const there = connect(server.config);
      await whenReady(there, 60_000);
      expect(there.status).toBe('ready');
      await whenReady(there, 0);

      const port = await freePort();
      const away = connect({
        ...server.config,
        address: { kind: 'single', host: '127.0.0.1', port },
      });
      await whenReady(away, 50);
      expect(away.status).not.toBe('ready');
    });
  });

  describe('redisHealthWarnings', () => {
    it('says what to set', async () => {
      const redis = await ready(connect(server.config));
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const [persistence, policy] = await redisHealthWarnings(redis);
      expect(persistence).toBe(
        'Redis keeps nothing on disk, so a restart loses everything in it: set "appendonly yes" in redis.conf, and now at once with: redis-cli CONFIG SET appendonly yes',
      );
      expect(policy).toBe(
        'Redis removes keys when its memory is full (maxmemory-policy allkeys-lru): set "maxmemory-policy noeviction" in redis.conf, and now at once with: redis-cli CONFIG SET maxmemory-policy noeviction',
      );

      await redis.config('SET', 'save', '3600 1');
      expect((await redisHealthWarnings(redis))[0]).toContain('loses what came after');
    });

    it('is silent about a good Redis', async () => {
      const redis = await ready(connect(server.config));
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
      await redis.config('SET', 'appendonly', 'yes');
      expect(await redisHealthWarnings(redis)).toEqual([]);
    });

    it.each([
      ['yes', 'noeviction', []],
      ['no', 'noeviction', [/no append-only file.*settings of its host.*append-only file/]],
      ['yes', 'volatile-lru', [/policy volatile-lru\).*settings of its host.*noeviction/]],
    ])('asks INFO where CONFIG is forbidden: %s, %s', async (appendonly, policy, sentences) => {
      const args = ['--rename-command', 'CONFIG', '', '--maxmemory-policy', policy];
      const hosted = await startTestRedis({ appendonly: appendonly === 'yes', args });
      try {
        const warnings = await redisHealthWarnings(await ready(connect(hosted.config)));
        expect(warnings).toEqual(sentences.map((sentence) => expect.stringMatching(sentence)));
      } finally {
        disconnectAll();
        await hosted.stop();
      }
    });

    it('says that it could not check where INFO is forbidden too', async () => {
      const hosted = await startTestRedis();
      const admin = await ready(connect(hosted.config));
      const redis = await ready(connect(hosted.config));
      await admin.call('ACL', 'SETUSER', 'default', '-config', '-info');
      try {
        expect(await redisHealthWarnings(redis)).toEqual([
          expect.stringMatching(/could not be checked.*append-only file \(AOF\) is on/),
          expect.stringMatching(/could not be checked.*maxmemory-policy is noeviction/),
        ]);
      } finally {
        disconnectAll();
        await hosted.stop();
      }
    });

    it('looks again at each connection, and logs what is new once', async () => {
      const replaced = await startTestRedis({ appendonly: true });
      try {
        const { logger, lines } = captureLogger();
        const redis = connect(replaced.config);
        const health = watchRedisHealth(redis, { logger, loss: 'Redis may lose it' });
        await ready(redis);
        const again = async () => {
          const admin = await ready(connect(replaced.config));
          const back = once(redis, 'ready');
          await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          await back;
          return admin;
        };
        const admin = await ready(connect(replaced.config));
        await provesNothingHappensFor(100);
        expect([health.warnings(), lines]).toEqual([[], []]);

        await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
        await again();
        await waitFor(() => health.warnings().length === 1);
        await again();
        await provesNothingHappensFor(200);
        expect(lines).toMatchObject([
          { level: 40, msg: 'Redis may lose it', warning: expect.stringContaining('allkeys-lru') },
        ]);

        await (await again()).config('SET', 'maxmemory-policy', 'noeviction');
        await again();
        await waitFor(() => health.warnings().length === 0);
        expect(lines).toHaveLength(2);
      } finally {
        disconnectAll();
        await replaced.stop();
      }
    });
  });
});
