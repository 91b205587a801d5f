import type { PreparedDelivery, Webhook } from './sender';
import type { Change } from '../checker/history';
import type { Stage } from './stage';

/**
 * The repository of the webhooks at Bitbucket, whose deliveries are sent by the fault and not by
 * Bitbucket.
 */
export interface SilentRepository {
  /** `workspace/slug` */
  name: string;
  /** Pushes a commit. The deliveries, one for each webhook, are for the fault to send. */
  push(
    branch: string,
  ): Promise<{ change: Change & { hash: string }; deliveries: PreparedDelivery[] }>;
}

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9/';

/** Has no webhook of the repository come any more by itself. */
export function openSilentRepository(stage: Stage): SilentRepository {
  const { bitbucket } = stage;
  const name = stage.webhooks[0]?.repository ?? '';
  const webhooks = new Map<string, Webhook>();
  for (const webhook of bitbucket.repository(name).webhooks.values()) {
    const hook = stage.webhooks.find(({ uuid }) => webhook.url.endsWith(`/webhook/${uuid}`));
    if (hook) webhooks.set(webhook.uuid, hook);
    webhook.url = NOWHERE;
  }
  if (webhooks.size !== stage.webhooks.length) throw new Error('Bitbucket misses a webhook');

  return {
    name,
    async push(branch) {
      const { hash, delivered } = await bitbucket.push({ repo: name, branch });
      const change = { kind: 'push' as const, branch, hash };
      const deliveries = (await delivered).flatMap(
        ({ webhook, requestUuid, body }): PreparedDelivery[] => {
          const hook = webhooks.get(webhook);
          return hook ? [{ hook, requestUuid, changes: [change], body, signature: 'right' }] : [];
        },
      );
      return { change, deliveries };
    },
  };
}
