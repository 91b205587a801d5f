import { readFileSync } from 'node:fs';

/** A socket costs about 10 KB; a proxy, Bitbucket and the API together have some hundreds. */
const MAX_CONNECTIONS = 5_000;
/** What all connections of one server may hold together. */
const LIMITS = {
  /**
   * Requests whose headers came and whose body did not come yet, answered or not. A burst of a
   * thousand deliveries whose bodies are on their way is more than Bitbucket sends.
   */
  bodies: 1_000,
  /**
   * Requests of one connection that were not answered yet. Clients of CDS, Bitbucket and proxies
   * send one request after the other.
   */
  pipelined: 10,
  /**
   * Requests that wait for the answer before them, of all connections: what one turn of the event
   * loop may have to serve of them.
   */
  waiting: 250,
  /** Bytes of answers that wait for their readers: two of the longest lists of the API. */
  unreadBytes: 32 * 1024 * 1024,
  /**
   * Bytes of headers, counted apart: unfinished ones, those of requests whose body is not there
   * yet, and long ones of whole requests. 256 of the longest headers of `hooks`; small ones take
   * five times their size in memory.
   */
  headerBytes: 16 * 1024 * 1024,
};
export type ConnectionLimits = typeof LIMITS & { connections: number };

/** The limits of one of so many `servers` of this process; what is `given` stays as it is. */
export function connectionLimits(
  given: Partial<ConnectionLimits> = {},
  servers = 1,
): ConnectionLimits {
  const connections = given.connections ?? maxConnections(servers);
  const bodies = Math.max(1, Math.min(LIMITS.bodies, Math.floor(connections / 2)));
  return { ...LIMITS, connections, bodies, ...given };
}

/**
 * Connections of each server: 5,000, or its share of half of the files that this process may open,
 * since Redis and outgoing calls need some too.
 */
export function maxConnections(servers = 1, limits = readLimits()): number {
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  return Math.min(MAX_CONNECTIONS, Math.max(1, Math.floor(openFiles / 2 / servers)));
}

/** Linux only; elsewhere nothing is known. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
