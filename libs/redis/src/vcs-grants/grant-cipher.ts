import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const VERSION = 'v1.';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts grants, so that a copy of Redis gives no access to Bitbucket. */
export interface GrantCipher {
  /** AES-256-GCM; `name` is authenticated too, so that a record cannot be moved to another key. */
  seal(name: string, text: string): string;
  /** The text; undefined when it was sealed with another secret or name, or is damaged. */
  open(name: string, sealed: string): string | undefined;
}

/** A cipher whose key is derived from the consumer's client secret. */
export function createGrantCipher(clientSecret: string): GrantCipher {
  const key = Buffer.from(
    hkdfSync('sha256', clientSecret, 'cds-bitbucket-cloud', 'vcs grants, AES-256-GCM', 32),
  );
  return {
    seal(name, text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return VERSION + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(name, sealed) {
      if (!sealed.startsWith(VERSION)) return undefined;
      const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url');
      if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(name));
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      try {
        const text = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
