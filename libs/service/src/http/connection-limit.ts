import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Logger } from '../logs/create-logger';

/** About 100 MB of sockets; a proxy in front, Bitbucket and the API together have some hundreds. */
const MOST_CONNECTIONS = 5_000;
const WARN_EVERY_MS = 60_000;

/**
 * How many connections a server takes: 5,000, or half of the files that this process may open, since Redis and the calls to others
 * need some too.
 */
export function mostConnections(limits = readLimits()): number {
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  return Math.min(MOST_CONNECTIONS, Math.max(1, Math.floor(openFiles / 2)));
}

/** Linux only; elsewhere nothing is known. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}

/**
 * Makes room when there are more than `most` connections: the one that was idle longest goes, so that whoever only holds connections
 * open keeps nobody else out. `idleFirst` lists the connections without a request under way, the longest idle first.
 */
export function createConnectionLimit(o: {
  most: number;
  idleFirst: () => Iterable<Socket>;
  logger: Logger;
}): (newcomer: Socket, open: number) => void {
  let closed = 0;
  let warnedAt = -Infinity;
  return (newcomer, open) => {
    if (open <= o.most) return;
    const [victim = newcomer] = o.idleFirst();
    victim.destroy();
    closed += 1;
    if (performance.now() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = performance.now();
    o.logger.warn(
      { most: o.most, closed },
      'Too many connections at a time: those that were idle longest are closed; is somebody flooding this port?',
    );
    closed = 0;
  };
}
