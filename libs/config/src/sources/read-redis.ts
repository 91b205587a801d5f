import type { commonSections } from '../keys/common-sections';
import type { Values } from '../keys/section';
import type { Slot } from '../config-problem';
import { checkTlsFiles } from './check-tls-files';
import type { Reading } from './reading';

type RedisKeys = Values<ReturnType<typeof commonSections>>['redis'];

/**
 * `[….cache.redis]` as connections use it: what the URL in `host` says, and what the keys say.
 *
 * @param placeOf where the value of a key was given
 */
export function readRedis(reading: Reading, keys: RedisKeys, placeOf: (key: string) => Slot) {
  const { host, keyPrefix } = keys;
  const { address } = host;
  // Of a `host` that is wrong the default stands here.
  if (!reading.problems.some(({ level, key }) => level === 'error' && key === placeOf('host').key))
    checkTogether(reading, keys, placeOf);
  const username = keys.username || host.url?.username;
  const isTls = isEncrypted(keys);
  const tls = tlsOf(keys);
  const hasTlsSentinels = keys.sentinelTLS === 'same' ? isTls : keys.sentinelTLS === 'on';
  if (isTls || (address.kind === 'sentinel' && hasTlsSentinels))
    checkTlsFiles(reading, keys, placeOf);
  return {
    address,
    /** The ACL user; undefined for the default one. */
    ...(username && { username }),
    password: keys.password || (host.url?.password ?? ''),
    database: keys.database || (host.url?.database ?? 0),
    keyPrefix,
    /** Without it connections to Redis are not encrypted. */
    ...(isTls && { tls }),
    /** How to sign in at the Sentinels. */
    ...(address.kind === 'sentinel' && {
      sentinel: {
        ...(keys.sentinelUsername && { username: keys.sentinelUsername }),
        ...(keys.sentinelPassword && { password: keys.sentinelPassword }),
        ...(hasTlsSentinels && { tls }),
      },
    }),
  };
}

function isEncrypted({ enableTLS, host }: RedisKeys): boolean {
  return enableTLS || host.url?.enableTLS === true;
}

/** How connections are encrypted, as `RedisTls` of libs/redis: absolute paths of PEM files. */
function tlsOf(keys: RedisKeys) {
  return {
    rejectUnauthorized: !keys.insecureSkipVerifyTLS,
    ...(keys.tlsCaCertFile && { caCertFile: keys.tlsCaCertFile }),
    ...(keys.tlsCertFile && { certFile: keys.tlsCertFile }),
    ...(keys.tlsKeyFile && { keyFile: keys.tlsKeyFile }),
    ...(keys.tlsKeyPassphrase && { keyPassphrase: keys.tlsKeyPassphrase }),
    ...(keys.tlsServerName && { serverName: keys.tlsServerName }),
  };
}

/** Refuses keys that say the same in two ways, or that nothing would come of. */
function checkTogether(reading: Reading, keys: RedisKeys, placeOf: (key: string) => Slot): void {
  const { address, url } = keys.host;
  const refuse = (key: string, message: string) => reading.error(placeOf(key), message);
  const twice = (key: string, given: unknown, inUrl: unknown = '') => {
    if (given && inUrl !== '' && given !== inUrl)
      refuse(key, `is given in the URL of ${placeOf('host').key}, too, and differs: keep one`);
  };
  twice('username', keys.username, url?.username);
  twice('password', keys.password, url?.password);
  twice('dbindex', keys.database, url?.database);
  if (url && !url.enableTLS && keys.enableTLS)
    refuse(
      'enableTLS',
      `is true, but ${placeOf('host').key} begins with redis://: write rediss://`,
    );
  if (address.kind === 'socket' && keys.enableTLS)
    refuse('enableTLS', 'is true, but a socket is never encrypted: set it to false');
  checkTlsKeys(reading, keys, placeOf);

  const isSentinel = address.kind === 'sentinel';
  const ofSentinel = ['sentinelUsername', 'sentinelPassword'] as const;
  for (const key of ofSentinel.filter((each) => keys[each] !== '' && !isSentinel))
    refuse(key, forSentinel(placeOf('host').key));
  if (keys.sentinelTLS !== 'same' && !isSentinel)
    refuse('sentinelTLS', forSentinel(placeOf('host').key));
  if (isSentinel && keys.sentinelUsername !== '' && keys.sentinelPassword === '')
    refuse('sentinelPassword', 'is empty, but sentinelUsername is not: give its password');
  const username = keys.username || url?.username;
  if (username && keys.password === '' && !url?.password)
    reading.warning(
      placeOf('password'),
      'is empty, but username is not: right only for a user that needs none (nopass)',
    );
}

const forSentinel = (host: string) =>
  `is for Sentinel alone, which ${host} does not name: remove it, or write host as name@sentinel1:26379,sentinel2:26379`;

/** What is about TLS has no meaning without it. */
function checkTlsKeys(reading: Reading, keys: RedisKeys, placeOf: (key: string) => Slot): void {
  const isUsed = isEncrypted(keys) || keys.sentinelTLS === 'on';
  if (isUsed) return;
  const isSocket = keys.host.address.kind === 'socket';
  const without = isSocket
    ? 'is for TLS, which a socket never has: remove it'
    : 'is for TLS, which is off: set enableTLS to true, or remove it';
  const named = [
    ...(['tlsCaCertFile', 'tlsCertFile', 'tlsKeyFile', 'tlsKeyPassphrase'] as const),
    'tlsServerName' as const,
  ];
  for (const key of named.filter((each) => keys[each] !== '')) reading.error(placeOf(key), without);
  if (keys.insecureSkipVerifyTLS) reading.warning(placeOf('insecureSkipVerifyTLS'), without);
}
