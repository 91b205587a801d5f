import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as PEM files. */
export interface TestCertificate {
  certFile: string;
  keyFile: string;
}

export interface TestCertificateOptions {
  /** As openssl writes them: `IP:127.0.0.1`, `DNS:redis.example`. */
  names?: string[];
  /** -1: it has expired. */
  days?: number;
}

/** A certificate authority of the test's own. */
export interface TestCa {
  /** Its certificate, as a PEM file. */
  caCertFile: string;
  /** Makes a certificate for servers and clients. The file names begin with `name`. */
  issue(name: string, options?: TestCertificateOptions): TestCertificate;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/**
 * Makes a CA by openssl, with its files in `folder`.
 *
 * @throws Error saying how to install openssl, when there is none
 */
export function createTestCa(folder: string, name = 'ca'): TestCa {
  const caCertFile = join(folder, `${name}.pem`);
  const caKeyFile = join(folder, `${name}.key`);
  openssl([
    ...['req', '-x509', ...NEW_KEY, '-subj', `/CN=${name}`, '-days', '2'],
    ...['-keyout', caKeyFile, '-out', caCertFile],
  ]);
  return {
    caCertFile,
    issue(own, { names = ['IP:127.0.0.1'], days = 2 } = {}) {
      const path = join(folder, own);
      const [certFile, keyFile, request] = [`${path}.pem`, `${path}.key`, `${path}.csr`];
      openssl(['req', ...NEW_KEY, '-subj', `/CN=${own}`, '-keyout', keyFile, '-out', request]);
      writeFileSync(`${path}.ext`, `subjectAltName=${names.join(',')}\n`);
      openssl([
        ...['x509', '-req', '-in', request, '-CA', caCertFile, '-CAkey', caKeyFile],
        ...['-extfile', `${path}.ext`, '-days', String(days), '-out', certFile],
      ]);
      return { certFile, keyFile };
    },
  };
}

/** The key of a PEM file with a passphrase, as PEM. */
export function encryptedKey(keyFile: string, passphrase: string): string {
  const key = createPrivateKey(readFileSync(keyFile));
  const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
  return pem.toString();
}

function openssl(args: string[]): void {
  try {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error('openssl failed: install it (apt-get install openssl)', { cause: error });
  }
}
