import { isBitbucketError, type BbHook, type BitbucketClient, type RepoRef } from '@cds/bitbucket';
import type { DeadlineContext } from '@cds/network';
import type { Logger } from '@cds/service';
import type { OneAtATime } from '../redis/run-exclusive';
import { fullNameOf } from '../http/repository-ref';
import type { KnownWebhook, KnownWebhooks } from './webhook-store';
import { webhookLock } from './upsert-webhook';
import { removeDoubles, withUrl } from './duplicate-webhooks';
import type { WebhookKey } from './webhook-key';
import { eventsAfterRepair, faultsOf } from './webhook-rules';

export interface RepairWebhookDeps {
  knownWebhooks: KnownWebhooks;
  webhookKey: WebhookKey;
  oneAtATime: OneAtATime;
  logger: Logger;
  onResult(result: 'repaired' | 'failed'): void;
}

/** Where a webhook is, and how to reach it. */
export interface RepairTarget {
  /** Its key in Redis. */
  id: string;
  repo: RepoRef;
  bitbucket: BitbucketClient;
}

/**
 * Puts one webhook of ours right: with our secret, active, its description and events kept. What somebody put in force since
 * `known` was read is left alone.
 *
 * @returns the webhook as it is at Bitbucket then
 * @throws What should end the repair of the others too: Redis's errors, and Bitbucket's unless they are of this webhook.
 */
export type RepairWebhook = (
  target: RepairTarget,
  hook: BbHook,
  known: KnownWebhook | undefined,
  ctx: DeadlineContext,
) => Promise<BbHook>;

/**
 * Leaves one webhook of ours with this URL. They are listed anew under the lock, so that whoever
 * else does the same keeps the same one.
 *
 * @param knownUuid Bitbucket's, of the one that was put in force; '' when that is not known
 * @throws as {@link RepairWebhook}
 */
export type KeepOneWebhook = (
  target: RepairTarget,
  url: string,
  knownUuid: string,
  ctx: DeadlineContext,
) => Promise<void>;

export function createKeepOneWebhook(deps: RepairWebhookDeps): KeepOneWebhook {
  const { oneAtATime, logger, onResult } = deps;
  return async ({ repo, bitbucket }, url, knownUuid, ctx) => {
    try {
      await oneAtATime(webhookLock(repo, url), ctx.signal, async () => {
        const same = withUrl(await bitbucket.listHooks(repo, ctx), url, knownUuid);
        await removeDoubles({ bitbucket, repo, logger }, same, ctx);
        onResult('repaired');
      });
    } catch (error) {
      onResult('failed');
      throw error;
    }
  };
}

export function createRepairWebhook(deps: RepairWebhookDeps): RepairWebhook {
  const { knownWebhooks, webhookKey, oneAtATime, logger, onResult } = deps;

  async function repair(
    { id, repo, bitbucket }: RepairTarget,
    hook: BbHook,
    known: KnownWebhook | undefined,
    ctx: DeadlineContext,
  ): Promise<BbHook> {
    const faults = faultsOf(hook, known, webhookKey.fingerprint);
    const now = await knownWebhooks.get(id, hook.url);
    if (now?.version !== known?.version) return hook;
    const { uuid, url, description } = hook;
    const events = eventsAfterRepair(hook, known);
    const secret = webhookKey.secretOf(url);
    const settings = { url, description, events, active: true, secret };
    const repaired = await bitbucket.updateHook(repo, uuid, settings, ctx);
    logger.info({ repository: fullNameOf(repo), webhook: uuid, url, faults }, 'webhook put right');
    onResult('repaired');
    await knownWebhooks.remember(id, url, {
      uuid,
      events: known?.events ?? [],
      key: webhookKey.fingerprint,
    });
    return repaired;
  }

  return async (target, hook, known, ctx) => {
    const lock = webhookLock(target.repo, hook.url);
    try {
      return await oneAtATime(lock, ctx.signal, () => repair(target, hook, known, ctx));
    } catch (error) {
      onResult('failed');
      if (!isOfThisWebhook(error)) throw error;
      logger.warn(
        { err: error, repository: fullNameOf(target.repo), webhook: hook.uuid, url: hook.url },
        'Bitbucket does not let a webhook be put right',
      );
      return hook;
    }
  };
}

/** It is gone, or something in it is not taken; the next one may do. */
function isOfThisWebhook(error: unknown): boolean {
  if (!isBitbucketError(error)) return false;
  return error.kind === 'answer' && (error.status === 400 || error.status === 404);
}
