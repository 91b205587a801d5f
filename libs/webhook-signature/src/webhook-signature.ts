import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header of a signed delivery. Bitbucket Cloud has no `X-Hub-Signature-256`. */
export const SIGNATURE_HEADER = 'x-hub-signature';

const FORM = /^sha256=([0-9a-f]{64})$/i;

/**
 * What Bitbucket Cloud puts into `X-Hub-Signature`.
 * https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/
 */
export function signatureOf(secret: string, body: Uint8Array): string {
  return `sha256=${digest(secret, body).toString('hex')}`;
}

/**
 * Whether `header` is the signature of `body` under one of `secrets`. All are tried, each compared
 * in constant time, so that the time it takes tells nothing of how near a guess came, nor which
 * secret it was.
 * @param body the bytes as they came
 */
export function isSignedBy(secrets: readonly string[], header: string, body: Uint8Array): boolean {
  const hex = FORM.exec(header)?.[1];
  if (hex === undefined) return false;
  const given = Buffer.from(hex, 'hex');
  let right = false;
  for (const secret of secrets) {
    const same = timingSafeEqual(given, digest(secret, body));
    right = same || right;
  }
  return right;
}

/**
 * The secret of a webhook. It is made anew from the key wherever it is needed, so that no store
 * holds it.
 * @param key `webhookKey` of the configuration, `api.token` where there is none
 * @param uuid the hook's in CDS: the last segment of the webhook's URL
 * @returns 64 hexadecimal digits; Bitbucket takes up to 128 characters
 */
export function webhookSecret(key: string, uuid: string): string {
  return digest(key, `cds-webhook:${uuid}`).toString('hex');
}

/** The last segment of a webhook's URL, which is the uuid of its task in the `hooks` service. */
export function hookUuidOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

function digest(secret: string, body: Uint8Array | string): Buffer {
  return createHmac('sha256', secret).update(body).digest();
}
