import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Slot } from '../config-problem';
import { readBounded, whyUnreadable } from '../read-bounded';
import type { Reading } from './reading';

/** That of all public CAs has a quarter of it. */
const MAX_PEM_BYTES = 1024 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

interface TlsFiles {
  tlsCaCertFile: string;
  tlsCertFile: string;
  tlsKeyFile: string;
  tlsKeyPassphrase: string;
}

/**
 * Refuses PEM files that are missing, unreadable, of another kind, or that do not belong together.
 * Warns of certificates that have expired: they may be renewed while the service runs.
 */
export function checkTlsFiles(
  reading: Reading,
  { tlsCaCertFile, tlsCertFile, tlsKeyFile, tlsKeyPassphrase }: TlsFiles,
  placeOf: (key: string) => Slot,
): void {
  const refuse = (key: keyof TlsFiles, message: string) => reading.error(placeOf(key), message);

  function read(key: keyof TlsFiles, path: string): string | undefined {
    if (path === '') return undefined;
    try {
      const bytes = readBounded(path, MAX_PEM_BYTES);
      if (bytes) return bytes.toString('latin1');
      refuse(key, `cannot be used: the file is larger than ${MAX_PEM_BYTES} bytes`);
    } catch (error) {
      refuse(key, `cannot be read: ${whyUnreadable(error)}`);
    }
    return undefined;
  }

  function certificates(key: keyof TlsFiles, path: string): X509Certificate[] {
    const text = read(key, path);
    if (text === undefined) return [];
    try {
      const found = (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
      if (found.length === 0)
        refuse(key, 'holds no certificate: name a PEM file with -----BEGIN CERTIFICATE-----');
      warnOfDates(found, (message) => reading.warning(placeOf(key), message));
      return found;
    } catch {
      refuse(key, 'holds a certificate that cannot be read: name a whole PEM file');
      return [];
    }
  }

  function privateKey(): KeyObject | undefined {
    const text = read('tlsKeyFile', tlsKeyFile);
    if (text === undefined) return undefined;
    try {
      return createPrivateKey({
        key: text,
        ...(tlsKeyPassphrase && { passphrase: tlsKeyPassphrase }),
      });
    } catch {
      if (!text.includes('ENCRYPTED'))
        refuse(
          'tlsKeyFile',
          'holds no private key: name a PEM file with -----BEGIN PRIVATE KEY-----',
        );
      else if (tlsKeyPassphrase === '')
        refuse('tlsKeyPassphrase', 'is empty, and the key in tlsKeyFile has one: give it');
      else refuse('tlsKeyPassphrase', 'does not open the key in tlsKeyFile: correct it');
      return undefined;
    }
  }

  certificates('tlsCaCertFile', tlsCaCertFile);
  const [own] = certificates('tlsCertFile', tlsCertFile);
  const key = privateKey();
  if (tlsCertFile !== '' && tlsKeyFile === '')
    refuse('tlsKeyFile', 'is missing beside tlsCertFile: name the file with its private key');
  if (tlsKeyFile !== '' && tlsCertFile === '')
    refuse('tlsCertFile', 'is missing beside tlsKeyFile: name the file with its certificate');
  if (tlsKeyPassphrase !== '' && tlsKeyFile === '')
    refuse('tlsKeyPassphrase', 'is that of the key in tlsKeyFile, which is empty: name it');
  if (own && key && !own.checkPrivateKey(key))
    refuse(
      'tlsKeyFile',
      'is not the key of the certificate in tlsCertFile: name the one of the pair',
    );
}

/** Of a file with several CAs one alone may be in use. */
function warnOfDates(found: readonly X509Certificate[], warn: (message: string) => void): void {
  const now = Date.now();
  for (const { validFrom, validTo } of found) {
    if (Date.parse(validTo) < now) warn(`holds a certificate that expired on ${validTo}: renew it`);
    else if (Date.parse(validFrom) > now)
      warn(`holds a certificate that is valid from ${validFrom} on`);
  }
}
