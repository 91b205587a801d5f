import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '@cds/testing';
import { createCommandReader, type RespCommand } from './resp-commands';

/**
 * Where a process is hit: before Redis gets a script, or when Redis has done it and nobody knows
 * yet.
 */
export interface KillPoint {
  /** Text of the Lua script. */
  script: string;
  /** A word that must be among its keys or arguments. */
  word?: string;
  when: 'before' | 'after';
}

/** A proxy between services and Redis that stops them at exactly one script. */
export interface RedisProxy {
  port: number;
  /**
   * Resolves with the words of the command when a service comes to this point. From then on its
   * connection is dead in both directions: the script does not reach Redis (`before`), or was done
   * and its reply does not come (`after`).
   */
  reached(point: KillPoint): Promise<string[]>;
  /**
   * Cuts all connections; those that are made from now on lead to another Redis, as after a
   * failover.
   */
  switchTo(redisPort: number): void;
  close(): Promise<void>;
}

interface Armed extends KillPoint {
  hit: (words: string[]) => void;
}

const PATIENCE_MS = 30_000;

export async function startRedisProxy(redisPort: number): Promise<RedisProxy> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let armed: Armed[] = [];
  let target = redisPort;

  function take({ words }: RespCommand): Armed | undefined {
    const script = scriptOf(words);
    if (script === undefined) return undefined;
    const found = armed.find(
      (point) =>
        digestOf(point.script) === script &&
        (point.word === undefined || words.includes(point.word)),
    );
    armed = armed.filter((one) => one !== found);
    return found;
  }

  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const read = createCommandReader();
    let dead = false;
    let token: { text: string; hit: () => void } | undefined;
    let tail = '';
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      for (const command of read(chunk)) {
        if (dead) return;
        const point = take(command);
        if (!point) {
          upstream.write(command.bytes);
          continue;
        }
        dead = true;
        if (point.when === 'before') {
          point.hit(command.words);
          return;
        }
        // Redis works in order: when it gives this back, it has done the script.
        token = { text: randomUUID(), hit: () => point.hit(command.words) };
        upstream.write(command.bytes);
        upstream.write(`*2\r\n$4\r\nECHO\r\n$${token.text.length}\r\n${token.text}\r\n`);
      }
    });
    upstream.on('data', (chunk) => {
      if (!dead) {
        client.write(chunk);
        return;
      }
      tail = (tail + chunk.toString('latin1')).slice(-200);
      if (token && tail.includes(token.text)) {
        token.hit();
        token = undefined;
      }
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    port,
    reached(point) {
      return new Promise((resolve, reject) => {
        const patience = setTimeout(
          () =>
            reject(
              new Error('hooks never came to the kill point: was it built from these sources?'),
            ),
          PATIENCE_MS,
        );
        const hit = (words: string[]): void => {
          clearTimeout(patience);
          resolve(words);
        };
        armed.push({ ...point, hit });
      });
    },
    switchTo(port) {
      target = port;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The digest of the script that a command runs: each connection sends it whole once. */
function scriptOf([command = '', script = '']: string[]): string | undefined {
  if (/^evalsha$/i.test(command)) return script;
  return /^eval$/i.test(command) ? digestOf(script) : undefined;
}

function digestOf(script: string): string {
  return createHash('sha1').update(script).digest('hex');
}
