import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { atExit } from './at-exit';
import { freePort } from './free-port';
import { waitFor } from './wait-for';

const HOST = '127.0.0.1';
/** Where Debian's package has the scripts that a user of its own is not needed for. */
const DEBIAN = '/usr/lib/rabbitmq/lib';

/** A real RabbitMQ server of the test's own, for the user `guest` with the password `guest`. */
export interface TestRabbitmq {
  host: '127.0.0.1';
  port: number;
  /**
   * Adds a user with the same password, who may read everything in the default virtual host, and
   * nothing else.
   */
  addReader(name: string): void;
  /** SIGKILL: what was not on disk is lost, connections break. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and data. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** The server's start script; undefined where RabbitMQ is not installed. */
export function rabbitmqServerScript(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  return readdirSync(DEBIAN)
    .map((folder) => join(DEBIAN, folder, 'sbin', 'rabbitmq-server'))
    .find((script) => existsSync(script));
}

/**
 * Starts a broker on free ports of 127.0.0.1, with a folder and an Erlang port mapper of its own.
 *
 * @throws Error saying how to install it, when there is none.
 */
export async function startTestRabbitmq(): Promise<TestRabbitmq> {
  const script = rabbitmqServerScript();
  if (script === undefined)
    throw new Error('RabbitMQ is not installed (apt-get install rabbitmq-server)');
  const [port, distributionPort, mapperPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const folder = mkdtempSync(join(tmpdir(), 'cds-test-rabbitmq-'));
  const home = join(folder, 'home');
  mkdirSync(home);
  writeFileSync(join(folder, 'enabled_plugins'), '[].');
  // No warning of a machine that has little room left: it would block all publishers.
  writeFileSync(join(folder, 'rabbitmq.conf'), 'disk_free_limit.absolute = 1MB\n');
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    LANG: 'C.UTF-8',
    RABBITMQ_NODENAME: `test-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: HOST,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: HOST,
  };
  let server: ChildProcess | undefined;

  /** The script and the Erlang machine that it starts are one process group. */
  const killGroup = (): void => {
    if (server?.pid === undefined) return;
    try {
      process.kill(-server.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  const clean = (): void => {
    killGroup();
    // Erlang's port mapper makes itself a daemon.
    spawnSync('epmd', ['-port', String(mapperPort), '-kill'], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  const isClean = atExit(clean);

  const kill = async (): Promise<void> => {
    if (!server) return;
    const exited = hasEnded() ? undefined : once(server, 'exit');
    killGroup();
    await exited;
    server = undefined;
  };
  const spawnServer = async (): Promise<ChildProcess> => {
    const spawned = spawn(script, [], { env, cwd: folder, detached: true, stdio: 'ignore' });
    await once(spawned, 'spawn');
    return spawned;
  };
  const hasEnded = () => !server || server.exitCode !== null || server.signalCode !== null;
  const start = async (): Promise<void> => {
    if (server) throw new Error('This broker runs already: kill() it first');
    await waitFor(
      async () => {
        // One that ends before it answers is started again, as a supervisor does.
        if (hasEnded()) server = await spawnServer();
        return answersAmqp(port);
      },
      { what: `RabbitMQ on port ${port} to answer` },
    );
  };

  try {
    await start();
  } catch (error) {
    clean();
    throw error;
  }
  return {
    host: HOST,
    port,
    addReader(name) {
      const control = (...args: string[]): void => {
        execFileSync(join(dirname(script), 'rabbitmqctl'), ['-q', ...args], { env, stdio: 'pipe' });
      };
      control('add_user', name, name);
      control('set_permissions', name, '', '', '.*');
    },
    kill,
    start,
    async stop() {
      await kill();
      isClean();
      clean();
    },
  };
}

/** It listens before it serves: only an answer to the protocol's header counts. */
function answersAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write('AMQP\0\0\x09\x01'));
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once('data', (data) => end(data[0] === 1));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
