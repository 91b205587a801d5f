export interface HostAndPort {
  host: string;
  port: number;
}

/** Where Redis is: one server, or the Sentinels that know which server is the master of `name`. */
export type RedisAddress =
  ({ kind: 'single' } & HostAndPort) | { kind: 'sentinel'; name: string; sentinels: HostAndPort[] };

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/** What the operator should write. */
export const REDIS_FORMS = 'host:port, or name@sentinel1:26379,sentinel2:26379 for Redis Sentinel';

/**
 * Reads `host`, `host:port` or `name@sentinel1:26379,sentinel2:26379`. As in CDS it is Sentinel only
 * where there are both `@` and `,`. Undefined when it is none of these.
 */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const trimmed = text.trim();
  if (!trimmed.includes('@') || !trimmed.includes(',')) {
    const address = parseHostAndPort(trimmed, REDIS_PORT);
    return address && { kind: 'single', ...address };
  }
  const at = trimmed.indexOf('@');
  const name = trimmed.slice(0, at).trim();
  const sentinels = trimmed
    .slice(at + 1)
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseHostAndPort(part, SENTINEL_PORT));
  if (!name || sentinels.length === 0 || !sentinels.every((s) => s !== undefined)) return undefined;
  return { kind: 'sentinel', name, sentinels };
}

/** The text that {@link parseRedisAddress} reads. */
export function formatRedisAddress(address: RedisAddress): string {
  const join = ({ host, port }: HostAndPort) =>
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  if (address.kind === 'single') return join(address);
  return `${address.name}@${address.sentinels.map(join).join(',')}`;
}

function parseHostAndPort(text: string, defaultPort: number): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (!host) return undefined;
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
