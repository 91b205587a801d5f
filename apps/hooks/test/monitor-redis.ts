import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Reports every command that Redis runs from now on, until the returned function is called.
 *
 * @param onCommand `isOfScript`: a script runs it, so it is no round trip of its own
 *
 * Not by `redis.monitor()` of ioredis: it fails where the first command comes in one packet with
 * the answer to MONITOR (https://github.com/redis/ioredis/issues/1981).
 */
export async function monitorRedis(
  url: string,
  onCommand: (args: string[], isOfScript: boolean) => void,
): Promise<() => void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = createInterface({ input: socket });
  socket.write('MONITOR\r\n');
  const [answer] = (await once(lines, 'line')) as [string];
  if (answer !== '+OK') throw new Error(`MONITOR was answered ${answer}`);
  lines.on('line', (line) => {
    const quoted = line.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
    onCommand(
      quoted.map((arg) => arg.slice(1, -1)),
      / \[\d+ lua\] /.test(line.slice(0, line.indexOf('"'))),
    );
  });
  return () => socket.destroy();
}
