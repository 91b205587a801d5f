import { decoded, parseUrl } from '@cds/network';
import { textError } from './text-problems';

export interface HostAndPort {
  host: string;
  port: number;
}

/**
 * Where Redis is: one server, its Unix socket, or the Sentinels that know which server is the
 * master of `name`.
 */
export type RedisAddress =
  | ({ kind: 'single' } & HostAndPort)
  | { kind: 'socket'; path: string }
  | { kind: 'sentinel'; name: string; sentinels: HostAndPort[] };

/** What a URL says besides the address; the values are those of the keys of the same names. */
export interface RedisHost {
  address: RedisAddress;
  url?: { username: string; password: string; database: number | undefined; enableTLS: boolean };
}

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
const MAX_DATABASE = 65_535;
/** `sun_path` of Linux has 108 bytes, the last of which is 0. */
const MAX_SOCKET_PATH_BYTES = 107;

/** What the operator should write. */
export const REDIS_FORMS =
  'host:port, redis://user:password@host:port/database (rediss:// with TLS), ' +
  '/path/of/redis.sock, or name@sentinel1:26379,sentinel2:26379 for Redis Sentinel';

/**
 * Reads `host`, `host:port`, a `redis://` or `rediss://` URL, the path of a Unix socket, or
 * `name@sentinel1:26379,sentinel2:26379`. As in CDS it is Sentinel only where there are both `@`
 * and `,`.
 *
 * @returns why it is wrong as a sentence, which never quotes the text: a URL may hold a password
 */
export function parseRedisHost(text: string): RedisHost | string {
  const trimmed = text.trim();
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed) ?? [];
  if (scheme !== undefined) return parseRedisUrl(trimmed, scheme.toLowerCase());
  const address = trimmed.startsWith('/') ? parseSocket(trimmed) : parseAddress(trimmed);
  if (typeof address === 'string') return address;
  return address ? { address } : `must be ${REDIS_FORMS}, in quotes`;
}

/** What {@link parseRedisHost} reads, without anything secret. */
export function formatRedisAddress(address: RedisAddress): string {
  const join = ({ host, port }: HostAndPort) =>
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  if (address.kind === 'socket') return address.path;
  if (address.kind === 'single') return join(address);
  return `${address.name}@${address.sentinels.map(join).join(',')}`;
}

function parseAddress(text: string): RedisAddress | undefined {
  if (!text.includes('@') || !text.includes(',')) {
    const address = parseHostAndPort(text, REDIS_PORT);
    return address && { kind: 'single', ...address };
  }
  const at = text.indexOf('@');
  const name = text.slice(0, at).trim();
  const sentinels = text
    .slice(at + 1)
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseHostAndPort(part, SENTINEL_PORT));
  if (!name || sentinels.length === 0 || !sentinels.every((s) => s !== undefined)) return undefined;
  return { kind: 'sentinel', name, sentinels };
}

function parseSocket(path: string): RedisAddress | string {
  if (/[?#]/.test(path)) return 'is the path of a socket, which takes no ? and #: write it alone';
  return Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES
    ? `is the path of a socket that is longer than ${MAX_SOCKET_PATH_BYTES} bytes: choose a shorter one in redis.conf (unixsocket)`
    : { kind: 'socket', path };
}

const ENCODE =
  'in user and password write % as %25, / as %2F, ? as %3F, # as %23, @ as %40 and : as %3A';

function parseRedisUrl(text: string, scheme: string): RedisHost | string {
  if (scheme === 'unix')
    return 'is the path of a socket as a URL: write the path alone, /run/redis/redis.sock for instance';
  if (scheme !== 'redis' && scheme !== 'rediss')
    return `has a scheme that is not known: must be ${REDIS_FORMS}`;
  const url = parseUrl(text);
  const address = url && parseHostAndPort(url.host, REDIS_PORT);
  if (!address && text.includes('@') && text.lastIndexOf(',') > text.indexOf('@'))
    return `is Sentinel as a URL: write name@sentinel1:26379,sentinel2:26379 without a scheme, user and password by keys of their own`;
  if (!url || !address) return `is not a URL that can be read: must be ${REDIS_FORMS}; ${ENCODE}`;
  if (url.search || url.hash || /[?#]$/.test(text))
    return `takes no ? and # in a URL: write the number of the database behind the host, as /1, or as dbindex; ${ENCODE}`;
  const path = /^(?:\/(\d{1,5})?)?$/.exec(url.pathname);
  const digits = path?.[1];
  if (!path || Number(digits ?? 0) > MAX_DATABASE)
    return `takes nothing but the number of the database behind the host of a URL, from 0 to ${MAX_DATABASE}; ${ENCODE}`;
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined)
    return `has a user or password that is not encoded rightly: ${ENCODE}`;
  const odd = textError(username) ?? textError(password);
  if (odd !== undefined) return `has a user or password that ${odd}`;
  return {
    address: { kind: 'single', ...address },
    url: {
      username,
      password,
      database: digits === undefined ? undefined : Number(digits),
      enableTLS: scheme === 'rediss',
    },
  };
}

function parseHostAndPort(text: string, defaultPort: number): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (!host) return undefined;
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
