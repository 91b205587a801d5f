import { inspect } from 'node:util';
import { connectRedis, whenReady } from '@cds/redis';
import { silentLogger, startTestRedis, type TestRedis } from '@cds/testing';
import type { Redis } from 'ioredis';
import { createLogger } from './create-logger';

const BODY = '{"push":"SECRET-BODY"}';
const HEADERS = 'x-hub-signature: SECRET-HEADER';

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis({ redis: server.config, logger: silentLogger(), name: 'a test' }, 'client');
  await whenReady(redis, 60_000);
  await redis.set('text', 'no list');
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const failures: Record<string, () => Promise<unknown>> = {
  'a command': () => redis.rpush('text', BODY, HEADERS),
  'a script': () => redis.eval("return redis.call('RPUSH', KEYS[1], ARGV[1])", 1, 'text', BODY),
  'a command of a pipeline': async () => {
    const replies = await redis.pipeline().rpush('text', BODY, HEADERS).exec();
    throw replies?.[0]?.[0] as Error;
  },
  'a transaction': () => redis.multi().rpush('none', BODY).call('LPUSH', HEADERS).exec(),
};

describe('an error of Redis in the log', () => {
  it.each(Object.keys(failures))('of %s leaves out what was to be stored', async (name) => {
    const error: unknown = await failures[name]?.().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    // ioredis hangs the command on it.
    expect(inspect(error, { depth: 10 })).toContain('SECRET');
    const { message } = error as Error;
    const wrapped = new Error('not stored', { cause: error });

    const lines: string[] = [];
    const logger = createLogger({
      service: 'hooks',
      level: 'debug',
      destination: { write: (line: string) => void lines.push(line) },
    });
    logger.debug({ error, hook: 'a hook' }, 'refused');
    logger.warn({ error: wrapped }, 'refused');
    logger.warn({ err: error }, 'refused');
    logger.error({ err: new AggregateError([wrapped, error]) }, 'refused');
    logger.error(error);

    expect(lines).toHaveLength(5);
    expect(lines.join('')).not.toContain('SECRET');
    const [short, ofWrapped, long] = lines.map((line) => JSON.parse(line) as object);
    expect(short).toMatchObject({ error: message, hook: 'a hook' });
    expect(ofWrapped).toMatchObject({ error: 'not stored' });
    expect(long).toMatchObject({ err: { message, stack: expect.any(String) as string } });
  });
});
