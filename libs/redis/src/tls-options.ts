import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { LoggerLike } from './logger-like';

/** How connections to Redis are encrypted. Files are paths of PEM files. */
export interface RedisTls {
  /** False accepts any certificate. */
  rejectUnauthorized: boolean;
  /** Those that Node.js has built in when not given. */
  caCertFile?: string;
  certFile?: string;
  keyFile?: string;
  /** Of the key; it may change. */
  keyPassphrase?: string;
  /** The name in the certificate of Redis; that of its host when not given. */
  serverName?: string;
}

/**
 * Options of `tls.connect` for ioredis, which copies them for each connection. The files are read
 * then, so that a renewed certificate needs no restart. Where that fails, as between the writes of
 * a certificate and its key, those of before count.
 */
export function tlsOptions(tls: RedisTls, logger: LoggerLike): ConnectionOptions {
  const { rejectUnauthorized, serverName, caCertFile, certFile, keyFile } = tls;
  const options: ConnectionOptions = {
    rejectUnauthorized,
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  if (caCertFile === undefined && certFile === undefined) return options;
  let last: SecureContext | undefined;
  return Object.defineProperty(options, 'secureContext', {
    enumerable: true,
    get() {
      try {
        last = createSecureContext({
          ...(caCertFile === undefined ? {} : { ca: readFileSync(caCertFile) }),
          ...(certFile === undefined ? {} : { cert: readFileSync(certFile) }),
          ...(keyFile === undefined ? {} : { key: readFileSync(keyFile) }),
          ...(tls.keyPassphrase === undefined ? {} : { passphrase: tls.keyPassphrase }),
        });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn({ reason }, 'cannot read the TLS files of Redis: those of before are used');
        // Without files of before nobody is trusted, rather than all whom Node.js trusts.
        last ??= createSecureContext({ ca: [] });
      }
      return last;
    },
  });
}
