import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { atExit } from './at-exit';
import { freePort } from './free-port';
import { type RunningProcess, startProcess } from './start-process';
import { waitFor } from './wait-for';

const HOST = '127.0.0.1';
/** What Redis adds to its port for the bus of a cluster. */
const CLUSTER_BUS = 10_000;

export interface TestRedisOptions {
  /** `valkey-server` for Valkey; `redis-server` when not given. */
  command?: string;
  /** Keep the data over `kill` and `start`. False when not given. */
  appendonly?: boolean;
  /** Further options of redis-server, `['--requirepass', 'secret']` for instance. */
  args?: string[];
  /** A free one when not given. */
  port?: number;
  /**
   * Where its data are, and stay at the end; made if need be. A folder of its own when not given.
   */
  folder?: string;
  /** A file for what it prints. */
  log?: string;
  /** In a process group of its own, which Ctrl-C does not reach. False when not given. */
  detached?: boolean;
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
  /** Of the process that runs, or ran last. */
  pid(): number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
  /** SIGTERM: it writes what it has and ends. */
  shutDown(): Promise<void>;
  /** SIGKILL: what was not yet written is lost, as in a crash. */
  kill(): Promise<void>;
  /** Starts it again after `kill` or `shutDown`, on the same port and data. */
  start(): Promise<void>;
  /** How the process ended that runs, or ran last. */
  exited(): RunningProcess['exited'];
  /** SIGSTOP: connections stay, answers do not come. */
  freeze(): void;
  /** SIGCONT: goes on after `freeze`. */
  thaw(): void;
  /** Asks it something, on a connection made for it alone. */
  ask<T>(work: (redis: Redis) => Promise<T>): Promise<T>;
  /** Removes all keys. */
  flush(): Promise<void>;
  /**
   * Of a server with `--cluster-enabled yes`: makes it a cluster of one node, which has all slots.
   */
  assignSlots(): Promise<void>;
}

/**
 * Starts the redis-server found on PATH on 127.0.0.1.
 *
 * @throws Error saying how to install it, when there is no redis-server.
 */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const { appendonly = false, args = [], log = '/dev/null', detached = false } = options;
  const { command = 'redis-server' } = options;
  const isCluster = args.includes('--cluster-enabled');
  const port = options.port ?? (await freePort(isCluster ? CLUSTER_BUS : 0));
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'cds-test-redis-'));
  mkdirSync(folder, { recursive: true });
  const password = passwordIn(args);
  let server = await spawnServer();
  const removeFolder = (): void => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  const isRemoved = options.folder === undefined ? atExit(removeFolder) : () => undefined;
  await answering();

  function spawnServer(): Promise<RunningProcess> {
    return startProcess({
      command,
      args: [
        ...['--port', String(port), '--bind', HOST, '--dir', folder],
        ...['--save', '', '--appendonly', appendonly ? 'yes' : 'no'],
        // Each answer follows its write to the file. By default Redis holds writes back for up to 2
        // s while the disk is slow, so that a kill loses what was answered:
        // https://github.com/redis/redis/blob/7.0/src/aof.c (flushAppendOnlyFile)
        ...['--appendfsync', 'no'],
        ...args,
      ],
      env: { PATH: process.env['PATH'] },
      cwd: folder,
      log,
      detached,
    }).catch((error: unknown) => {
      throw new Error(`${command} cannot be started: install it (apt-get install redis-server)`, {
        cause: error,
      });
    });
  }

  /** Another one may have the port. */
  async function isOurs(redis: Redis): Promise<boolean> {
    await redis.ping();
    return (await redis.info('server')).includes(`process_id:${server.pid}\r\n`);
  }

  async function answering(): Promise<void> {
    await waitFor(async () => !server.isRunning() || (await ask(isOurs)), {
      what: `redis-server on port ${port} to answer`,
    });
    if (!server.isRunning())
      throw new Error(`redis-server on port ${port} ended before it answered: is the port taken?`);
  }

  async function ask<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
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

  async function kill(): Promise<void> {
    server.kill('SIGKILL');
    await server.exited;
  }

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
    pid: () => server.pid,
    exited: () => server.exited,
    kill,
    async shutDown() {
      // A frozen one would get SIGTERM only when it goes on.
      server.kill('SIGCONT');
      await server.stop();
    },
    async start() {
      if (server.isRunning()) throw new Error('This redis-server runs already: kill() it first');
      server = await spawnServer();
      await answering();
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    ask,
    flush: async () => void (await ask((redis) => redis.flushall())),
    async assignSlots() {
      const slots = Array.from({ length: 16_384 }, (_, slot) => slot);
      await ask((redis) => redis.cluster('ADDSLOTS', ...slots));
      await waitFor(
        () =>
          ask(async (redis) => String(await redis.cluster('INFO')).includes('cluster_state:ok')),
        { what: 'the cluster to be ready' },
      );
    },
    async stop() {
      await kill();
      isRemoved();
      if (options.folder === undefined) removeFolder();
    },
  };
}

function passwordIn(args: string[]): string {
  const at = args.indexOf('--requirepass');
  return at < 0 ? '' : (args[at + 1] ?? '');
}
