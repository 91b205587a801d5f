const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/No such master with that name/, 'correct the name before the @ in cache.redis.host'],
  [
    /^All sentinels are unreachable.*Connection is closed/,
    'look at the addresses in cache.redis.host, and at sentinelTLS, tlsCaCertFile and tlsCertFile',
  ],
  [
    /certificate required|handshake failure|bad certificate|unknown ca\b/i,
    'it wants another client certificate: correct cache.redis.tlsCertFile and tlsKeyFile',
  ],
  [
    /does not match certificate's altnames/,
    'give the name that is in the certificate as cache.redis.tlsServerName',
  ],
  [
    /self.signed certificate|unable to (get|verify)/i,
    'name the CA of its certificate in cache.redis.tlsCaCertFile',
  ],
  [/certificate (has )?expired/i, 'a certificate has to be renewed'],
  [
    /wrong version number|packet length too long/i,
    'this port speaks no TLS: give the TLS port of Redis, or leave TLS out',
  ],
];

/** What to do about a failed connection, by its message; undefined where that is not known. */
export function outageAdvice(message: string): string | undefined {
  return ADVICE.find(([pattern]) => pattern.test(message))?.[1];
}

/** The words of OpenSSL without addresses in memory and files: `TLS: alert certificate expired`. */
export function plainReason(message: string): string {
  const [, words] = /SSL routines:[^:]*:(?:\w+ )?([^:]+):/.exec(message) ?? [];
  return words === undefined ? message : `TLS: ${words}`;
}
