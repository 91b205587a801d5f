import { createHmac } from 'node:crypto';

/**
 * The secret of a webhook. It is made anew from the key wherever it is needed, so that no store
 * holds it.
 * @param key `webhookKey` of the configuration, `api.token` where there is none
 * @param uuid the hook's in CDS: the last segment of the webhook's URL
 * @returns 64 hexadecimal digits; Bitbucket takes up to 128 characters
 */
export function webhookSecret(key: string, uuid: string): string {
  return createHmac('sha256', key).update(`cds-webhook:${uuid}`).digest('hex');
}

/** The last segment of a webhook's URL, which is the uuid of its task in the `hooks` service. */
export function hookUuidOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
