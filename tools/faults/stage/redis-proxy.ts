import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '@cds/testing';
import { createCommandReader, type RespCommand } from './resp-commands';

/** Where a process is hit: before Redis gets a script, or when Redis has done it and nobody knows yet. */
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
   * Resolves with the words of the command when a service comes to this point. From then on its connection is dead in both directions: the script
   * does not reach Redis (`before`), or was done and its reply does not come (`after`).
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
  digest: string;
  hit: (words: string[]) => void;
}

const PATIENCE_MS = 30_000;

export async function startRedisProxy(redisPort: number): Promise<RedisProxy> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let armed: Armed[] = [];
  let target = redisPort;

  function take({ words }: RespCommand): Armed | undefined {
    if (!/^evalsha$/i.test(words[0] ?? '')) return undefined;
    const found = armed.find(
      ({ digest, word }) => digest === words[1] && (word === undefined || words.includes(word)),
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
      const digest = createHash('sha1').update(point.script).digest('hex');
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
        armed.push({ ...point, digest, hit });
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
