import { createHmac } from 'node:crypto';
import { hookUuidOf, webhookSecret } from '@cds/webhook-signature';

/** The key of the configuration from which the secrets of webhooks are derived. */
export interface WebhookKey {
  /**
   * 16 hexadecimal digits, from which the key cannot be computed. Stored with every webhook, so
   * that a changed key is noticed.
   */
  fingerprint: string;
  /** The secret of the webhook with this URL, which ends in the hook's uuid. */
  secretOf(url: string): string;
}

/** @param key `webhookKey` of the configuration, `api.token` where there is none */
export function createWebhookKey(key: string): WebhookKey {
  return {
    fingerprint: createHmac('sha256', key)
      .update('cds-webhook-key-fingerprint')
      .digest('hex')
      .slice(0, 16),
    secretOf: (url) => webhookSecret(key, hookUuidOf(url)),
  };
}
