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

function digest(secret: string, body: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(body).digest();
}
