import { hookUuidOf } from '@cds/webhook-signature';

/**
 * The URL that Bitbucket gets for a hook: behind `proxyWebhook`, if there is one, only the hook's
 * uuid is kept. The API goes on naming the hook by its own URL, so every lookup rewrites it in the
 * same way.
 *
 * @param url the hook's URL as the API knows it
 * @param proxyWebhook `https://proxy.example`, or '' for none
 */
export function proxiedUrl(url: string, proxyWebhook: string): string {
  if (proxyWebhook === '') return url;
  return `${proxyWebhook.replace(/\/+$/, '')}/${hookUuidOf(url)}`;
}
