import type { IncomingHttpHeaders } from 'node:http';
import type { SignatureMode } from '@cds/config';
import { isSignedBy, SIGNATURE_HEADER, webhookSecret } from '@cds/webhook-signature';

/**
 * What a delivery shows: nothing, one signature of Bitbucket's form, one of another algorithm's form (`sha1=…`, which
 * GitHub and others send), or what can be no right signature of anybody.
 */
export type ShownSignature = 'none' | 'bitbucket' | 'sha1' | 'malformed';

const BITBUCKET = /^sha256=[0-9a-f]{64}$/i;
/** Hooks whose secrets are kept at hand: some hundred bytes each. */
const MOST_KNOWN = 10_000;
/** Several headers come joined by commas. */
const SHA1 = /^sha1=[^,]*$/i;

export type SignatureCheck = ReturnType<typeof createSignatureCheck>;

/**
 * Tells by whom a delivery is: whoever knows the secret of the hook's webhook signs with it.
 *
 * @param deps.keys `webhookKey`, then the ones before it; the secrets are made of them, and stay in this process
 */
export function createSignatureCheck(deps: { mode: SignatureMode; keys: readonly string[] }) {
  const { mode, keys } = deps;
  /** Of hooks that were sent something authentic, so that no stranger fills it. */
  const known = new Map<string, readonly string[]>();

  return {
    /** What the headers show; nothing where signatures are not looked at. */
    shown(headers: IncomingHttpHeaders): ShownSignature {
      const header = headers[SIGNATURE_HEADER];
      if (mode === 'off' || header === undefined) return 'none';
      const text = String(header);
      if (BITBUCKET.test(text)) return 'bitbucket';
      return SHA1.test(text) ? 'sha1' : 'malformed';
    },

    /**
     * Whether a hook refuses a delivery that shows this, whatever the body is. Plain webhooks take any sender, and
     * those of others sign for readers of their own: `sha1=…` is then no signature. An empty header is a wrong one.
     *
     * @param signed whether a delivery of the hook had a right signature before
     */
    isRefused(shown: ShownSignature, hook: { anySender: boolean; signed: boolean }): boolean {
      if (shown === 'bitbucket') return false;
      if (shown === 'malformed') return true;
      if (shown === 'sha1' && !hook.anySender) return true;
      return mode === 'required' || (mode === 'auto' && hook.signed);
    },

    /** Whether the signature is right for these bytes, under the present key or one before it. In constant time. */
    isRight(uuid: string, headers: IncomingHttpHeaders, body: Uint8Array): boolean {
      const before = known.get(uuid);
      const secrets = before ?? keys.map((key) => webhookSecret(key, uuid));
      const isRight = isSignedBy(secrets, String(headers[SIGNATURE_HEADER]), body);
      if (isRight && !before) {
        if (known.size >= MOST_KNOWN) known.clear();
        known.set(uuid, secrets);
      }
      return isRight;
    },
  };
}
