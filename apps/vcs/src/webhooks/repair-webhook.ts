import { isBitbucketError, type BbHook, type BitbucketClient, type RepoRef } from '@cds/bitbucket';
import type { DeadlineContext } from '@cds/network';
import type { Logger } from '@cds/service';
import type { RunExclusive } from '../redis/run-exclusive';
import { fullNameOf } from '../http/repository-ref';
import type { KnownWebhook, WebhookStore } from './webhook-store';
import { webhookLock } from './upsert-webhook';
import { removeDuplicates, chooseByUrl } from './duplicate-webhooks';
import type { WebhookKey } from './webhook-key';
import { eventsAfterRepair, faultsOf } from './webhook-rules';

interface RepairWebhookDeps {
  webhookStore: WebhookStore;
  webhookKey: WebhookKey;
  runExclusive: RunExclusive;
  logger: Logger;
  onResult(result: 'repaired' | 'failed'): void;
}

/** The repository of a webhook, and how to reach it. */
export interface RepairTarget {
  /** Its key in Redis. */
  id: string;
  repo: RepoRef;
  bitbucket: BitbucketClient;
}

/** Methods reject where other repairs would fail, too: Redis's errors, most of Bitbucket's. */
export function createRepairWebhook(deps: RepairWebhookDeps) {
  const { webhookStore, webhookKey, runExclusive, logger, onResult } = deps;

  async function repair(
    { id, repo, bitbucket }: RepairTarget,
    hook: BbHook,
    known: KnownWebhook | undefined,
    ctx: DeadlineContext,
  ): Promise<BbHook> {
    const faults = faultsOf(hook, known, webhookKey.fingerprint);
    const now = await webhookStore.get(id, hook.url);
    if (now?.version !== known?.version) return hook;
    const { uuid, url, description } = hook;
    const events = eventsAfterRepair(hook, known);
    const secret = webhookKey.secretOf(url);
    const settings = { url, description, events, active: true, secret };
    const repaired = await bitbucket.updateHook(repo, uuid, settings, ctx);
    logger.info({ repository: fullNameOf(repo), webhook: uuid, url, faults }, 'webhook repaired');
    onResult('repaired');
    await webhookStore.save(id, url, {
      uuid,
      events: known?.events ?? [],
      key: webhookKey.fingerprint,
    });
    return repaired;
  }

  return {
    /**
     * Signs and activates one webhook of ours; its description and events stay. A webhook that was
     * upserted since `known` was read is left alone.
     * @returns the webhook as it is at Bitbucket then
     */
    async repair(
      target: RepairTarget,
      hook: BbHook,
      known: KnownWebhook | undefined,
      ctx: DeadlineContext,
    ): Promise<BbHook> {
      const lock = webhookLock(target.repo, hook.url);
      try {
        return await runExclusive(lock, ctx.signal, () => repair(target, hook, known, ctx));
      } catch (error) {
        onResult('failed');
        if (!isOfThisWebhook(error)) throw error;
        logger.warn(
          { err: error, repository: fullNameOf(target.repo), webhook: hook.uuid, url: hook.url },
          'webhook repair refused by Bitbucket',
        );
        return hook;
      }
    },

    /**
     * Removes the duplicates of our webhook with this URL. Lists anew under the lock, so that all
     * replicas choose the same one.
     * @param knownUuid Bitbucket's, of the webhook that was upserted; '' when that is not known
     */
    async deduplicate(
      { repo, bitbucket }: RepairTarget,
      url: string,
      knownUuid: string,
      ctx: DeadlineContext,
    ): Promise<void> {
      try {
        await runExclusive(webhookLock(repo, url), ctx.signal, async () => {
          const same = chooseByUrl(await bitbucket.listHooks(repo, ctx), url, knownUuid);
          await removeDuplicates({ bitbucket, repo, logger }, same, ctx);
          onResult('repaired');
        });
      } catch (error) {
        onResult('failed');
        throw error;
      }
    },
  };
}

/** The webhook is gone, or Bitbucket refuses something in it; the next one may succeed. */
function isOfThisWebhook(error: unknown): boolean {
  if (!isBitbucketError(error)) return false;
  return error.kind === 'answer' && (error.status === 400 || error.status === 404);
}
