import { isBitbucketError, type BbHook } from '@cds/bitbucket';
import { type DeadlineContext, abortable, withTimeout } from '@cds/network';
import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import { isProjectKey } from '../credentials/project-credential';
import type { BitbucketServer } from '../servers/bitbucket-server';
import { createBackgroundWork } from './background-work';
import { deadlinePassed } from '../http/request-deadline';
import type { AnsweredCall } from '../servers/granted-route';
import { createRunExclusive } from '../redis/run-exclusive';
import { fullNameOf } from '../http/repository-ref';
import type { RepairResult } from '../monitoring/vcs-metrics';
import { repositoryId, type WebhookStore } from './webhook-store';
import { createRepairWebhook, type RepairTarget } from './repair-webhook';
import { duplicateUrls, chooseByUrl } from './duplicate-webhooks';
import type { WebhookKey } from './webhook-key';
import { faultsOf, isOurs, saysCds } from './webhook-rules';

const DAY_SECONDS = 24 * 60 * 60;
/** The pause before a repair that failed for a reason that passes. */
const RETRY_SECONDS = 60 * 60;
/** The time between two questions of one process whether a repository is due. */
const ASK_AGAIN_MS = 10 * 60_000;

const AT_ONCE = 4;
const MAX_WAITING = 100;
const MAX_MS = 30_000;
/** How long the API's lookup may wait for the repair of what it found. */
const LOOKUP_MS = 5_000;
/** The lock on one webhook outlives one call of Bitbucket. */
const ONE_WEBHOOK_MS = 18_000;
/** Webhooks that are repaired of a listing that was made for the API. */
const MAX_LISTED = 5;

export type WebhookRepairs = ReturnType<typeof createWebhookRepairs>;

/**
 * Repairs webhooks of ours that are unsigned, inactive, signed with another key, or duplicates.
 * Only a lookup waits for a repair. A repair makes no call while few are left, renews no token and
 * repeats nothing; one that fails is tried again later. Without Redis nothing is repaired.
 */
export function createWebhookRepairs(deps: {
  redis: Redis;
  webhookStore: WebhookStore;
  webhookKey: WebhookKey;
  logger: Logger;
  onResult(result: RepairResult): void;
  /** Called when a repair waits, so that calls are left for the API. */
  onHeldBack(): void;
}) {
  const { redis, webhookStore, webhookKey, logger, onResult } = deps;
  const runExclusive = createRunExclusive({ redis, logger, maxMs: ONE_WEBHOOK_MS });
  const webhook = createRepairWebhook({ ...deps, runExclusive });
  const asked = new LRUCache<string, true>({ ...maxEntries(10_000), ttl: ASK_AGAIN_MS });
  const scopeWarned = new LRUCache<string, true>({ max: 100, ttl: DAY_SECONDS * 1_000 });
  const background = createBackgroundWork({
    atOnce: AT_ONCE,
    waiting: MAX_WAITING,
    maxMs: MAX_MS,
    onError: (error) => logger.debug({ err: error }, 'webhooks not repaired: trying again later'),
  });

  function targetOf({ server, repository, tokens }: AnsweredCall): RepairTarget {
    return {
      id: repositoryId(server.config.name, repository),
      repo: repository,
      bitbucket: server.connect(tokens),
    };
  }

  async function isHeldBack({ budget }: BitbucketServer): Promise<boolean> {
    const held = await budget.isShortAnywhere();
    if (held) deps.onHeldBack();
    return held;
  }

  const scheduleKey = ({ id }: RepairTarget) => vcsKeys.webhooksChecked(webhookKey.fingerprint, id);

  /**
   * Whether the repository is due; if so, it is not due again for a day, on any replica. It only
   * saves calls: an entry that Redis loses costs one more listing.
   */
  async function claim(target: RepairTarget): Promise<boolean> {
    return (await redis.set(scheduleKey(target), '1', 'EX', DAY_SECONDS, 'NX')) === 'OK';
  }

  /** Makes the repository due again in an hour. */
  async function retryLater(target: RepairTarget): Promise<void> {
    await redis.expire(scheduleKey(target), RETRY_SECONDS);
  }

  /** @returns false when something is left to do */
  async function repairAll(
    server: BitbucketServer,
    target: RepairTarget,
    list: () => Promise<BbHook[]>,
    max: number,
    ctx: DeadlineContext,
  ): Promise<boolean> {
    const known = await webhookStore.of(target.id);
    const { fingerprint } = webhookKey;
    const hooks = await list();
    const ours = hooks.filter((hook) => isOurs(hook, known, server.config.proxyWebhook));
    const knownUuid = (url: string) => known.webhooks.get(url)?.uuid ?? '';
    const duplicated = duplicateUrls(hooks);
    const urls = new Set(ours.map((hook) => hook.url));
    for (const url of [...urls].filter((one) => duplicated.has(one)).slice(0, max)) {
      if (ctx.signal.aborted || server.budget.isShort()) return false;
      await webhook.deduplicate(target, url, knownUuid(url), ctx);
    }
    const kept = new Set([...urls].map((url) => chooseByUrl(hooks, url, knownUuid(url)).kept));
    const wrong = ours.filter(
      (hook) =>
        kept.has(hook) && faultsOf(hook, known.webhooks.get(hook.url), fingerprint).length > 0,
    );
    for (const hook of wrong.slice(0, max)) {
      if (ctx.signal.aborted || server.budget.isShort()) return false;
      await webhook.repair(target, hook, known.webhooks.get(hook.url), ctx);
    }
    return true;
  }

  async function daily(call: AnsweredCall, outer: DeadlineContext): Promise<void> {
    const target = targetOf(call);
    const ctx = onlyOnce(outer);
    if (await isHeldBack(call.server)) return;
    if (!(await claim(target))) return;
    try {
      const list = () => target.bitbucket.listHooks(target.repo, ctx);
      if (!(await repairAll(call.server, target, list, Infinity, ctx))) await retryLater(target);
    } catch (error) {
      warnOfScope(call, error);
      if (!isForToday(error)) await retryLater(target);
      throw error;
    }
  }

  /** A webhook that the API names is ours from now on, even if it cannot be repaired now. */
  function saveNamed(id: string, { url, uuid }: BbHook) {
    return webhookStore.save(id, url, { uuid, events: [], key: '' });
  }

  function warnOfScope({ server, repository, grant }: AnsweredCall, error: unknown): void {
    if (!isBitbucketError(error) || error.status !== 403) return;
    const { name } = server.config;
    const isOfProject = isProjectKey(grant);
    const credential = isOfProject ? grant : name;
    if (!/scope/i.test(error.bitbucketMessage) || scopeWarned.has(credential)) return;
    scopeWarned.set(credential, true);
    logger.warn(
      { server: name, repository: fullNameOf(repository), err: error },
      isOfProject
        ? 'webhooks cannot be repaired: import the VCS project with a token that may read and write webhooks'
        : 'webhooks cannot be repaired: tick "Webhooks: Read and write" at the OAuth consumer, then link the projects again',
    );
  }

  return {
    /** Repairs all webhooks of the repository, once a day over all replicas. */
    afterAnswer(call: AnsweredCall): void {
      const { server, repository } = call;
      if (isManual(server)) return;
      const id = repositoryId(server.config.name, repository);
      if (asked.has(id)) return;
      asked.set(id, true);
      if (background.add((ctx) => daily(call, ctx))) return;
      asked.delete(id);
      onResult('dropped');
    },
    /** Repairs the other webhooks of a listing that was made for the API. */
    repairListed(call: AnsweredCall, listed: BbHook[]): void {
      if (isManual(call.server) || listed.length === 0) return;
      const list = () => Promise.resolve(listed);
      const added = background.add(async (ctx) => {
        if (await isHeldBack(call.server)) return;
        await repairAll(call.server, targetOf(call), list, MAX_LISTED, onlyOnce(ctx));
      });
      if (!added) onResult('dropped');
    },
    /** Repairs the webhook that the API looked up, and returns it. Never rejects. */
    async repairLookedUp(call: AnsweredCall, hook: BbHook, outer: DeadlineContext) {
      const { server } = call;
      if (isManual(server) || !saysCds(hook)) return hook;
      const target = targetOf(call);
      try {
        const known =
          (await webhookStore.get(target.id, hook.url)) ?? (await saveNamed(target.id, hook));
        if (faultsOf(hook, known, webhookKey.fingerprint).length === 0) return hook;
        if (await isHeldBack(server)) return hook;
        return await withTimeout(outer, LOOKUP_MS, (ctx) =>
          abortable(webhook.repair(target, hook, known, onlyOnce(ctx)), ctx.signal, deadlinePassed),
        );
      } catch (error) {
        warnOfScope(call, error);
        logger.debug({ err: error }, 'looked-up webhook not repaired: trying again later');
        return hook;
      }
    },
    /** Drops repairs that are not done yet. */
    close: background.close,
  };
}

/** Whether the operator manages the webhooks, with another secret or inactive on purpose. */
function isManual({ config }: BitbucketServer): boolean {
  return config.disableWebHooks || config.disableWebHooksCreation;
}

/** A context in which the client repeats nothing: no pause ends before a deadline that is over. */
function onlyOnce({ signal }: DeadlineContext): DeadlineContext {
  return { signal, deadline: 0 };
}

/** Whether another try today would end in the same way. */
function isForToday(error: unknown): boolean {
  return isBitbucketError(error) && (error.status === 403 || error.status === 404);
}
