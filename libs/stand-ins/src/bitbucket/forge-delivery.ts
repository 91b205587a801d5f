import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { sendRequest } from '../http/send-request';
import type { Webhook } from './model';

/**
 * Signatures of a sender without the secret of the webhook: none, or with its own secret.
 */
export const SIGNATURES = ['none', 'wrong'] as const;

/** A delivery that Bitbucket did not send. */
export interface Forgery {
  at: string;
  repository: string;
  webhook: string;
  url: string;
  signature: (typeof SIGNATURES)[number];
  /** 0: no answer. */
  status: number;
  durationMs: number;
  /** The beginning of the answer. */
  answer: string;
}

/**
 * Sends a delivery to a webhook as an attacker would, who knows its address and what deliveries
 * look like.
 */
export async function forgeDelivery(forged: {
  repository: string;
  webhook: Webhook;
  signature: Forgery['signature'];
  body: string;
}): Promise<Forgery> {
  const { repository, webhook, signature, body } = forged;
  const started = performance.now();
  const at = new Date().toISOString();
  const key = randomBytes(32);
  const { status, text } = await sendRequest({
    method: 'POST',
    url: webhook.url,
    headers: {
      'Content-Type': 'application/json',
      'User-Agent': 'Bitbucket-Webhooks/2.0',
      'X-Event-Key': 'repo:push',
      'X-Hook-UUID': webhook.uuid.replace(/[{}]/g, ''),
      'X-Request-UUID': randomUUID(),
      'X-Attempt-Number': '1',
      ...(signature === 'wrong'
        ? { 'X-Hub-Signature': `sha256=${createHmac('sha256', key).update(body).digest('hex')}` }
        : {}),
    },
    body,
    timeoutMs: 10_000,
  }).catch((error: unknown) => ({ status: 0, text: String(error) }));
  return {
    at,
    repository,
    webhook: webhook.uuid,
    url: webhook.url,
    signature,
    status,
    durationMs: Math.round(performance.now() - started),
    answer: text.slice(0, 1_000),
  };
}
