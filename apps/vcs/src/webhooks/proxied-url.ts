import { hookUuidOf } from '@cds/webhook-signature';

/**
 * The URL that Bitbucket gets for a hook: behind `proxyWebhook` only the uuid is kept. The API uses
 * the hook's own URL, so every lookup rewrites it.
 * @param proxyWebhook `https://proxy.example`, or '' for none
 */
export function proxiedUrl(url: string, proxyWebhook: string): string {
  if (proxyWebhook === '') return url;
  return `${proxyWebhook.replace(/(?<!\/)\/+$/, '')}/${hookUuidOf(url)}`;
}
