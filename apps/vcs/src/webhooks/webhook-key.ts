import { createHmac } from 'node:crypto';
import { hookUuidOf, webhookSecret } from '@cds/webhook-signature';

export type WebhookKey = ReturnType<typeof createWebhookKey>;

/**
 * The key of the configuration from which the secrets of webhooks are derived.
 * @param key `webhookKey` of the configuration, `api.token` where there is none
 */
export function createWebhookKey(key: string) {
  return {
    /**
     * 16 hexadecimal digits, from which the key cannot be computed. Stored with every webhook, so
     * that a changed key is noticed.
     */
    fingerprint: createHmac('sha256', key)
      .update('cds-webhook-key-fingerprint')
      .digest('hex')
      .slice(0, 16),
    /** The secret of the webhook with this URL, which ends in the hook's uuid. */
    secretOf: (url: string) => webhookSecret(key, hookUuidOf(url)),
  };
}
