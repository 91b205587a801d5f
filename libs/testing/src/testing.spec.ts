import crypto from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  captureLogger,
  disconnect,
  freePort,
  sharedPath,
  silentLogger,
  startProcess,
  startTestRedis,
  waitFor,
  type TestRedis,
  provesNothingHappensFor,
} from './index';

describe('startTestRedis', () => {
  let server: TestRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startTestRedis({ appendonly: true });
    redis = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('keeps what was acknowledged over a crash, on the same port', async () => {
    await redis.set('kept', 'yes');
    await server.kill();
    await server.start();
    expect(await redis.get('kept')).toBe('yes');
  });

  it('freezes and goes on', async () => {
    server.freeze();
    let answered = false;
    const answer = redis.ping().then(() => (answered = true));
    await provesNothingHappensFor(200);
    expect(answered).toBe(false);
    server.thaw();
    await answer;
    expect(answered).toBe(true);
  });

  it('flushes', async () => {
    await redis.set('a', '1');
    await server.flush();
    expect(await redis.dbsize()).toBe(0);
  });

  it('removes its folder and gives the port back when it stops', async () => {
    const other = await startTestRedis();
    const connection = new Redis(other.url);
    const [, folder] = (await connection.config('GET', 'dir')) as string[];
    connection.disconnect();
    expect(existsSync(folder ?? '')).toBe(true);
    await other.stop();
    expect(existsSync(folder ?? '')).toBe(false);
    const listener = createServer().listen(other.port, '127.0.0.1');
    await new Promise((resolve) => listener.once('listening', resolve));
    listener.close();
  });

  it('leaves a folder that it was given, with all it was told before it shut down', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cds-testing-'));
    const options = { folder, log: join(folder, 'log'), appendonly: true };
    const first = await startTestRedis(options);
    await first.ask((connection) => connection.set('kept', 'yes'));
    first.freeze();
    await first.shutDown();
    expect(await first.exited()).toEqual({ code: 0, signal: null });
    await first.stop();
    const second = await startTestRedis(options);
    expect(await second.ask((connection) => connection.get('kept'))).toBe('yes');
    await second.stop();
    expect(readFileSync(options.log, 'utf8')).toContain('Ready to accept connections');
    rmSync(folder, { recursive: true });
  });

  it('says at once when its port is taken', async () => {
    const { port } = server;
    await expect(startTestRedis({ port })).rejects.toThrow('ended before it answered');
  });

  it('takes a password', async () => {
    const other = await startTestRedis({ args: ['--requirepass', 'pw'] });
    const connection = new Redis(other.url);
    expect(await connection.ping()).toBe('PONG');
    expect(other.config.password).toBe('pw');
    connection.disconnect();
    await other.stop();
  });
});

describe('waitFor', () => {
  it('returns what the probe returns at last', async () => {
    let calls = 0;
    expect(await waitFor(() => (++calls < 3 ? undefined : calls))).toBe(3);
  });

  it('names what it waited for, and the last error', async () => {
    const waiting = waitFor(
      () => {
        throw new Error('not yet');
      },
      { timeoutMs: 50, what: 'the moon' },
    );
    await expect(waiting).rejects.toThrow('Waited 50 ms in vain for the moon: not yet');
  });
});

describe('startProcess', () => {
  const node = (script: string) =>
    startProcess({ command: process.execPath, args: ['-e', script], env: { WORD: 'hello' } });

  it('gives the output and the exit code', async () => {
    const child = await node(
      'console.log(process.env.WORD); console.error("bad"); process.exit(3)',
    );
    expect((await child.waitForOutput('hello')).index).toBe(0);
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(child.stderr()).toBe('bad\n');
  });

  it('rejects at once, with the output, when the process ends without the line', async () => {
    const child = await node('console.error("no such thing")');
    const waiting = child.waitForOutput(/ready/);
    await expect(waiting).rejects.toThrow(/ended without printing[^]*no such thing/);
  });

  it('sends signals', async () => {
    const child = await node('console.log("up"); setInterval(() => {}, 1000)');
    await child.waitForOutput(/up/);
    child.kill('SIGTERM');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('writes to a file, and is killed where it does not stop in time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cds-testing-'));
    const log = join(folder, 'log');
    const script =
      'process.on("SIGTERM", () => console.error("no")); console.log("on"); setInterval(String, 1e5)';
    const child = await startProcess({
      ...{ command: process.execPath, args: ['-e', script], env: {}, log, detached: true },
    });
    await waitFor(() => readFileSync(log, 'utf8') === 'on\n');
    const stopping = child.stop(1_000);
    await waitFor(() => readFileSync(log, 'utf8') === 'on\nno\n');
    expect(child.isRunning()).toBe(true);
    expect(await stopping).toBe(null);
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect([child.isRunning(), child.kill(), child.stdout()]).toEqual([false, false, '']);
    rmSync(folder, { recursive: true });
  });

  it('listens once for the end of this process, whatever it starts', async () => {
    const before = process.listenerCount('exit');
    const options = {
      command: process.execPath,
      args: ['-e', 'setInterval(() => {}, 1e9)'],
      env: {},
    };
    const started = await Promise.all([startProcess(options), startProcess(options)]);
    expect(process.listenerCount('exit') - before).toBeLessThanOrEqual(1);
    await Promise.all(started.map((each) => each.stop()));
    expect(process.listenerCount('exit')).toBe(before);
  });

  it('says when the command does not exist', async () => {
    const start = startProcess({ command: 'no-such-command', args: [], env: {} });
    await expect(start).rejects.toThrow(/ENOENT/);
  });
});

describe('the small ones', () => {
  it('finds free ports', async () => {
    const port = await freePort();
    const listener = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => listener.once('listening', resolve));
    listener.close();
  });

  it('finds a second port at a distance, which no other process is given either', async () => {
    const choose = jest.spyOn(crypto, 'randomInt') as unknown as jest.SpyInstance<number>;
    try {
      const [taken, other] = [await freePort(), await freePort(50)];
      choose.mockClear();
      choose.mockReturnValueOnce(taken - 50).mockReturnValueOnce(other + 50);
      expect([taken - 50, other + 50]).not.toContain(await freePort(50));
      expect(choose.mock.calls.length).toBeGreaterThanOrEqual(3);
    } finally {
      choose.mockRestore();
    }
  });

  it('finds a port that no other process was given, though nobody listens on it yet', async () => {
    const choose = jest.spyOn(crypto, 'randomInt') as unknown as jest.SpyInstance<number>;
    try {
      const [taken, other] = [await freePort(), await freePort()];
      rmSync(join(tmpdir(), `cds-test-ports-${userInfo().uid}`, String(other)), { force: true });
      choose.mockReturnValueOnce(taken).mockReturnValueOnce(other);
      // Another copy of the code knows of the first port as another process does.
      await jest.isolateModulesAsync(async () => {
        const { freePort: freePortElsewhere } = await import('./free-port');
        expect(await freePortElsewhere()).toBe(other);
      });
    } finally {
      choose.mockRestore();
    }
  });

  it('leaves connections alone that have ended, over which ioredis would keep a timer', async () => {
    const server = await startTestRedis();
    const connections = [new Redis(server.url), new Redis(server.url)];
    await Promise.all(connections.map((each) => each.ping()));
    disconnect(...connections);
    await waitFor(() => connections.every(({ status }) => status === 'end'));
    const again = connections.map((each) => jest.spyOn(each, 'disconnect'));
    disconnect(...connections);
    for (const each of again) expect(each).not.toHaveBeenCalled();
    await server.stop();
  });

  it('captures log lines', () => {
    const { logger, lines } = captureLogger();
    logger.warn({ port: 1 }, 'hello');
    silentLogger().error('nobody sees this');
    expect(lines).toMatchObject([{ level: 40, port: 1, msg: 'hello' }]);
  });

  it('has no path for a recording that does not exist', () => {
    expect(sharedPath('no-such-recording')).toBeUndefined();
  });
});
