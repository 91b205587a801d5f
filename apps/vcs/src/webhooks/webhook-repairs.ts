import { isBitbucketError, type AccessTokenSource, type BbHook } from '@cds/bitbucket';
import { type DeadlineContext, abortable, withTimeout } from '@cds/network';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { BitbucketServer } from '../servers/bitbucket-server';
import { createBackgroundWork } from './background-work';
import { deadlinePassed } from '../http/request-deadline';
import type { AnsweredCall } from '../servers/granted-route';
import { createOneAtATime } from '../redis/run-exclusive';
import { fullNameOf } from '../http/repository-ref';
import type { RepairResult } from '../monitoring/vcs-metrics';
import { createDailyTurns } from './repair-schedule';
import { repositoryId, type KnownWebhooks } from './webhook-store';
import { createKeepOneWebhook, createRepairWebhook, type RepairTarget } from './repair-webhook';
import { urlsWithDoubles, withUrl } from './duplicate-webhooks';
import type { WebhookKey } from './webhook-key';
import { faultsOf, isOurs, saysCds } from './webhook-rules';

const DAY_MS = 24 * 60 * 60_000;
/** So long this process does not even ask Redis whether a repository's turn has come. */
const ASK_AGAIN_MS = 10 * 60_000;

const AT_ONCE = 4;
const MOST_WAITING = 100;
const LONGEST_MS = 30_000;
/** How long the API's lookup may wait for the repair of what it found. */
const LOOKUP_MS = 5_000;
/** The lock on one webhook outlives one call of Bitbucket. */
const ONE_WEBHOOK_MS = 18_000;
/** Of the webhooks that a listing for the API happens to show. */
const MOST_BY_THE_WAY = 5;

export interface WebhookRepairsDeps {
  redis: Redis;
  knownWebhooks: KnownWebhooks;
  webhookKey: WebhookKey;
  logger: Logger;
  onResult(result: RepairResult): void;
  /** A repair waits, so that calls are left for the API. */
  onHeldBack(): void;
}

/** Webhooks of ours that are unsigned, inactive or signed with another key are put right. */
export interface WebhookRepairs {
  /** Looks at all webhooks of the repository, once a day over all replicas. */
  afterAnswer(call: AnsweredCall): void;
  /** Looks at what a listing for the API showed beside the webhook it was for. */
  byTheWay(call: AnsweredCall, listed: BbHook[]): void;
  /** The webhook that the API looked up, as it is at Bitbucket after that. Never rejects. */
  lookedUp(call: AnsweredCall, hook: BbHook, ctx: DeadlineContext): Promise<BbHook>;
  /** What is not done yet is done another day. */
  close(): void;
}

/**
 * Nobody waits for it but a lookup, and nothing depends on it: it makes no call while Bitbucket's budget is short, renews no
 * token, repeats nothing, and what fails is tried again another time. Without Redis nothing is repaired, since only
 * Redis knows whose turn it is.
 */
export function createWebhookRepairs(deps: WebhookRepairsDeps): WebhookRepairs {
  const { redis, knownWebhooks, webhookKey, logger, onResult } = deps;
  const oneAtATime = createOneAtATime({ redis, logger, longestMs: ONE_WEBHOOK_MS });
  const turns = createDailyTurns({ redis, fingerprint: webhookKey.fingerprint });
  const repairWebhook = createRepairWebhook({ ...deps, oneAtATime });
  const keepOneWebhook = createKeepOneWebhook({ ...deps, oneAtATime });
  const asked = new LRUCache<string, true>({ max: 10_000, ttl: ASK_AGAIN_MS });
  const scopeWarned = new LRUCache<string, true>({ max: 100, ttl: DAY_MS });
  const background = createBackgroundWork({
    atOnce: AT_ONCE,
    waiting: MOST_WAITING,
    longestMs: LONGEST_MS,
    onError: (error) => logger.debug({ err: error }, 'webhooks not looked after for now'),
  });

  function targetOf({ server, repository, accessToken }: AnsweredCall): RepairTarget {
    return {
      id: repositoryId(server.config.name, repository),
      repo: repository,
      bitbucket: server.connect(onlyThis(accessToken)),
    };
  }

  async function isHeldBack({ budget }: BitbucketServer): Promise<boolean> {
    const held = await budget.isShortAnywhere();
    if (held) deps.onHeldBack();
    return held;
  }

  /** False when something is left to do. */
  async function repairAll(
    server: BitbucketServer,
    target: RepairTarget,
    list: () => Promise<BbHook[]>,
    most: number,
    ctx: DeadlineContext,
  ): Promise<boolean> {
    const known = await knownWebhooks.of(target.id);
    const { fingerprint } = webhookKey;
    const hooks = await list();
    const ours = hooks.filter((hook) => isOurs(hook, known, server.config.proxyWebhook));
    const knownUuid = (url: string) => known.webhooks.get(url)?.uuid ?? '';
    const doubled = urlsWithDoubles(hooks);
    const urls = new Set(ours.map((hook) => hook.url));
    for (const url of [...urls].filter((one) => doubled.has(one)).slice(0, most)) {
      if (ctx.signal.aborted || server.budget.isShort()) return false;
      await keepOneWebhook(target, url, knownUuid(url), ctx);
    }
    const kept = new Set([...urls].map((url) => withUrl(hooks, url, knownUuid(url)).kept));
    const wrong = ours.filter(
      (hook) =>
        kept.has(hook) && faultsOf(hook, known.webhooks.get(hook.url), fingerprint).length > 0,
    );
    for (const hook of wrong.slice(0, most)) {
      if (ctx.signal.aborted || server.budget.isShort()) return false;
      await repairWebhook(target, hook, known.webhooks.get(hook.url), ctx);
    }
    return true;
  }

  async function daily(call: AnsweredCall, outer: DeadlineContext): Promise<void> {
    const target = targetOf(call);
    const ctx = onlyOnce(outer);
    if (await isHeldBack(call.server)) return;
    if (!(await turns.take(target.id))) return;
    try {
      const list = () => target.bitbucket.listHooks(target.repo, ctx);
      if (!(await repairAll(call.server, target, list, Infinity, ctx)))
        await turns.takeBack(target.id);
    } catch (error) {
      warnOfScope(call, error);
      if (!isForToday(error)) await turns.takeBack(target.id);
      throw error;
    }
  }

  /** What the API names is ours from now on, even if it cannot be put right now. */
  function isNamed(id: string, { url, uuid }: BbHook) {
    return knownWebhooks.remember(id, url, { uuid, events: [], key: '' });
  }

  function warnOfScope({ server, repository }: AnsweredCall, error: unknown): void {
    if (!isBitbucketError(error) || error.status !== 403) return;
    const { name } = server.config;
    if (!/scope/i.test(error.bitbucketMessage) || scopeWarned.has(name)) return;
    scopeWarned.set(name, true);
    logger.warn(
      { server: name, repository: fullNameOf(repository), err: error },
      'webhooks cannot be kept signed and active: tick "Webhooks: Read and write" at the OAuth consumer, then link the projects again',
    );
  }

  return {
    afterAnswer(call) {
      const { server, repository } = call;
      if (isByHand(server)) return;
      const id = repositoryId(server.config.name, repository);
      if (asked.has(id)) return;
      asked.set(id, true);
      if (background.add((ctx) => daily(call, ctx))) return;
      asked.delete(id);
      onResult('dropped');
    },
    byTheWay(call, listed) {
      if (isByHand(call.server) || listed.length === 0) return;
      const list = () => Promise.resolve(listed);
      const added = background.add(async (ctx) => {
        if (await isHeldBack(call.server)) return;
        await repairAll(call.server, targetOf(call), list, MOST_BY_THE_WAY, onlyOnce(ctx));
      });
      if (!added) onResult('dropped');
    },
    async lookedUp(call, hook, outer) {
      const { server } = call;
      if (isByHand(server) || !saysCds(hook)) return hook;
      const target = targetOf(call);
      try {
        const known =
          (await knownWebhooks.get(target.id, hook.url)) ?? (await isNamed(target.id, hook));
        if (faultsOf(hook, known, webhookKey.fingerprint).length === 0) return hook;
        if (await isHeldBack(server)) return hook;
        return await withTimeout(outer, LOOKUP_MS, (ctx) =>
          abortable(repairWebhook(target, hook, known, onlyOnce(ctx)), ctx.signal, deadlinePassed),
        );
      } catch (error) {
        warnOfScope(call, error);
        logger.debug({ err: error }, 'a webhook that was looked up is not put right for now');
        return hook;
      }
    },
    close: background.close,
  };
}

/** There, webhooks are the operator's: he may have put another secret on them, or switched them off. */
function isByHand({ config }: BitbucketServer): boolean {
  return config.disableWebHooks || config.disableWebHooksCreation;
}

/** The token that just served. Renewing a grant is for calls that somebody waits for. */
function onlyThis(accessToken: string): AccessTokenSource {
  return {
    current: () => Promise.resolve(accessToken),
    renew: () => Promise.reject(new Error('the access token is no longer valid')),
  };
}

/** No pause ends before a deadline that is over, so that the client repeats nothing. */
function onlyOnce({ signal }: DeadlineContext): DeadlineContext {
  return { signal, deadline: 0 };
}

/** Whether asking again today would end in the same way. */
function isForToday(error: unknown): boolean {
  return isBitbucketError(error) && (error.status === 403 || error.status === 404);
}
