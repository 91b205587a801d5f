import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port';
import { waitFor } from './wait-for';

const HOST = '127.0.0.1';

export interface TestRedisOptions {
  /** Keep the data over `kill` and `start`. False when not given. */
  appendonly?: boolean;
  /** Further options of redis-server, `['--requirepass', 'secret']` for instance. */
  args?: string[];
}

/** A real redis-server of the test's own. */
export interface TestRedis {
  host: '127.0.0.1';
  port: number;
  url: string;
  config: {
    password: string;
    address: { kind: 'single'; host: string; port: number };
    database: number;
    keyPrefix: string;
  };
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
  /** SIGKILL: what was not yet written is lost, as in a crash. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and data. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay, answers do not come. */
  freeze(): void;
  /** SIGCONT: goes on after `freeze`. */
  thaw(): void;
  /** Removes all keys. */
  flush(): Promise<void>;
  /**
   * Of a server with `--cluster-enabled yes`: makes it a cluster of one node, which has all slots.
   */
  assignSlots(): Promise<void>;
}

/**
 * Starts the redis-server found on PATH on a free port of 127.0.0.1, with a folder of its own.
 *
 * @throws Error saying how to install it, when there is no redis-server.
 */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'cds-test-redis-'));
  const password = passwordIn(options.args ?? []);
  let server: ChildProcess | undefined;

  const killWithParent = (): void => {
    server?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', killWithParent);

  const kill = async (): Promise<void> => {
    if (!server) return;
    const ending = server;
    server = undefined;
    const exited = once(ending, 'exit');
    ending.kill('SIGKILL');
    await exited;
  };

  const start = async (): Promise<void> => {
    if (server) throw new Error('This redis-server runs already: kill() it first');
    server = await spawnServer(port, folder, options);
    await waitFor(() => withConnection(port, password, (redis) => redis.ping()), {
      what: `redis-server on port ${port} to answer`,
    });
  };

  await start();
  return {
    host: HOST,
    port,
    url: `redis://${password ? `:${password}@` : ''}${HOST}:${port}`,
    config: {
      password,
      address: { kind: 'single', host: HOST, port },
      database: 0,
      keyPrefix: '',
    },
    kill,
    start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    flush: async () => void (await withConnection(port, password, (redis) => redis.flushall())),
    async assignSlots() {
      const slots = Array.from({ length: 16_384 }, (_, slot) => slot);
      await withConnection(port, password, (redis) => redis.cluster('ADDSLOTS', ...slots));
      await waitFor(
        () =>
          withConnection(port, password, async (redis) =>
            String(await redis.cluster('INFO')).includes('cluster_state:ok'),
          ),
        { what: 'the cluster to be ready' },
      );
    },
    async stop() {
      await kill();
      process.off('exit', killWithParent);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function spawnServer(
  port: number,
  folder: string,
  { appendonly = false, args = [] }: TestRedisOptions,
): Promise<ChildProcess> {
  const server = spawn(
    'redis-server',
    [
      ...['--port', String(port), '--bind', HOST, '--dir', folder],
      ...['--save', '', '--appendonly', appendonly ? 'yes' : 'no'],
      ...args,
    ],
    { stdio: 'ignore' },
  );
  try {
    await once(server, 'spawn');
  } catch (error) {
    throw new Error('redis-server cannot be started: install it (apt-get install redis-server)', {
      cause: error,
    });
  }
  return server;
}

async function withConnection<T>(
  port: number,
  password: string,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    host: HOST,
    port,
    password: password || undefined,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 60_000,
  });
  // Without a listener ioredis prints on the console; the rejection of connect() says the same.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    // After a failed attempt there is nothing left to end, and ioredis would keep a timer for it.
    if (redis.status !== 'end') redis.disconnect();
  }
}

function passwordIn(args: string[]): string {
  const at = args.indexOf('--requirepass');
  return at < 0 ? '' : (args[at + 1] ?? '');
}
