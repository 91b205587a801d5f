import type { IncomingHttpHeaders } from 'node:http';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { HooksConfig } from '@cds/config';
import { isSignedBy, SIGNATURE_HEADER, webhookSecret } from '@cds/webhook-signature';

/**
 * What a delivery shows: nothing, a signature of Bitbucket's form, one of SHA-1 (`sha1=…`, which
 * GitHub and others send), or what can be no signature.
 */
export type ShownSignature = 'none' | 'bitbucket' | 'sha1' | 'malformed';

const BITBUCKET = /^sha256=[0-9a-f]{64}$/i;
/** Several headers come joined by commas. */
const SHA1 = /^sha1=[^,]*$/i;
/** Hooks whose secrets are cached: some hundred bytes each. */
const MAX_KNOWN = 10_000;

export type SignatureVerifier = ReturnType<typeof createSignatureVerifier>;

/**
 * Verifies that the sender of a delivery knows the secret of the webhook. Secrets are derived from
 * `webhookKey` and the ones before it, and stay in this process.
 */
export function createSignatureVerifier(config: Pick<HooksConfig, 'signature' | 'webhookKeys'>) {
  const { signature: mode, webhookKeys: keys } = config;
  /** Secrets of hooks with authentic deliveries, so that no stranger fills it. */
  const known = new LRUCache<string, readonly string[]>(maxEntries(MAX_KNOWN));

  return {
    /** What the headers show; `none` where signatures are off. */
    shown(headers: IncomingHttpHeaders): ShownSignature {
      const header = headers[SIGNATURE_HEADER];
      if (mode === 'off' || header === undefined) return 'none';
      const text = String(header);
      if (BITBUCKET.test(text)) return 'bitbucket';
      return SHA1.test(text) ? 'sha1' : 'malformed';
    },

    /**
     * Whether a hook refuses a delivery that shows this, whatever the body is.
     *
     * @param hook.anySender whether `sha1=…` counts as no signature, rather than as a wrong one
     * @param hook.signed whether a delivery of the hook had a right signature before
     */
    isRefused(shown: ShownSignature, hook: { anySender: boolean; signed: boolean }): boolean {
      if (shown === 'bitbucket') return false;
      if (shown === 'malformed') return true;
      if (shown === 'sha1' && !hook.anySender) return true;
      return mode === 'required' || (mode === 'auto' && hook.signed);
    },

    /** Whether the signature is right, under any of the keys. In constant time. */
    isRight(uuid: string, headers: IncomingHttpHeaders, body: Uint8Array): boolean {
      const before = known.get(uuid);
      const secrets = before ?? keys.map((key) => webhookSecret(key, uuid));
      const isRight = isSignedBy(secrets, String(headers[SIGNATURE_HEADER]), body);
      if (isRight && !before) known.set(uuid, secrets);
      return isRight;
    },
  };
}
