import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import * as z from 'zod';

/** A grant of `vcs` as it is in Redis below its encryption; times in ms. */
export const storedGrantSchema = z
  .object({
    accessToken: z.string().min(1),
    refreshToken: z.string().min(1),
    expiresAt: z.number(),
    lifetimeMs: z.number(),
    generation: z.number().optional(),
  })
  // Older versions store no generation: the time of the renewal then orders their pairs.
  .transform(({ generation, ...pair }) => ({
    ...pair,
    generation: generation ?? pair.expiresAt - pair.lifetimeMs,
  }));

const VERSION = 'v1.';
const IV_BYTES = 12;
const TAG_BYTES = 16;

export type GrantCipher = ReturnType<typeof createGrantCipher>;

/**
 * Encrypts grants, so that a copy of Redis gives no access to Bitbucket. The key is derived from
 * the consumer's client secret.
 */
export function createGrantCipher(clientSecret: string) {
  const key = Buffer.from(
    hkdfSync('sha256', clientSecret, 'cds-bitbucket-cloud', 'vcs grants, AES-256-GCM', 32),
  );
  return {
    /** AES-256-GCM; `name` is authenticated, too, so that no record can be moved to another key. */
    seal(name: string, text: string): string {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return VERSION + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },

    /** The text; undefined when it was sealed with another secret or name, or is damaged. */
    open(name: string, sealed: string): string | undefined {
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
