import { connect } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '@cds/testing';
import { startChild, type Child } from './child';
import type { RunFolder } from './run-folder';

/** Starts a redis-server of the sandbox's own: append-only, on 127.0.0.1, in the run's folder. */
export async function startPrivateRedis(folder: RunFolder, port: number): Promise<Child> {
  const redis = await startChild(
    'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.redis],
      ...['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'],
      ...['--pidfile', join(folder.redis, 'redis.pid')],
    ],
    {
      cwd: folder.path,
      env: { PATH: process.env['PATH'] },
      log: join(folder.redis, 'redis.log'),
    },
  );
  const ended = redis.exited.then((sentence) => Promise.reject(new Error(sentence)));
  await Promise.race([waitFor(() => answersPing(port), { what: 'Redis' }), ended]);
  return redis;
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const done = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('data', (data) => done(data.toString().startsWith('+PONG')));
    socket.once('error', () => done(false));
    socket.setTimeout(500, () => done(false));
  });
}
