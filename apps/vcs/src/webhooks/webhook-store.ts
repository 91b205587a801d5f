import { randomUUID } from 'node:crypto';
import type { RepoRef } from '@cds/bitbucket';
import { vcsKeys } from '@cds/redis';
import { hookUuidOf } from '@cds/webhook-signature';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { fullNameOf } from '../http/repository-ref';

/** Renewed at every check of the repository. An expired webhook gets its secret once more. */
const TTL_SECONDS = 100 * 24 * 60 * 60;

/** URL prefixes of `hooks` that are remembered, the newest. */
const MAX_URL_PREFIXES = 20;

/** The prefix that every URL of `hooks` has before the uuid. */
const URL_PREFIX = /^https?:\/\/[^/\s]+\/(?:.*\/)?webhook\/$/;

const knownSchema = z.object({
  /** Bitbucket's. */
  uuid: z.string(),
  /** The events that the API wants. */
  events: z.array(z.string()),
  /** Fingerprint of the key that its secret was made with; '' when that is not known. */
  key: z.string(),
  /** Differs after every change. */
  version: z.string(),
});
/** A webhook that `vcs` upserted, or that the API named. */
export type KnownWebhook = z.infer<typeof knownSchema>;

export interface RepositoryWebhooks {
  /** By URL, as Bitbucket has it. */
  webhooks: Map<string, KnownWebhook>;
  /** URLs of `hooks` without the uuid at their end. */
  urlPrefixes: Set<string>;
}

/** Names a repository in Redis. Bitbucket ignores case. */
export function repositoryId(server: string, repo: RepoRef): string {
  return `${server}:${fullNameOf(repo).toLowerCase()}`;
}

export type WebhookStore = ReturnType<typeof createWebhookStore>;

/**
 * Our webhooks, stored in Redis by repository. Every method rejects when Redis does not answer.
 * @param hooksUrl `urlPublic` of `hooks`, where the configuration of `vcs` holds it too
 */
export function createWebhookStore(redis: Redis, hooksUrl?: string) {
  const configured =
    hooksUrl === undefined ? [] : [`${hooksUrl.replace(/(?<!\/)\/+$/, '')}/webhook/`];

  return {
    async of(repository: string): Promise<RepositoryWebhooks> {
      const key = vcsKeys.webhooks(repository);
      const [stored, learned] = await Promise.all([
        redis.hgetall(key),
        redis.zrange(vcsKeys.webhookUrlPrefixes, '0', '-1'),
        redis.expire(key, TTL_SECONDS),
      ]);
      const webhooks = new Map<string, KnownWebhook>();
      for (const [url, text] of Object.entries(stored)) {
        const known = parse(text);
        if (known) webhooks.set(url, known);
      }
      return { webhooks, urlPrefixes: new Set([...configured, ...learned]) };
    },
    async get(repository: string, url: string): Promise<KnownWebhook | undefined> {
      return parse(await redis.hget(vcsKeys.webhooks(repository), url));
    },
    async save(repository: string, url: string, webhook: Omit<KnownWebhook, 'version'>) {
      const key = vcsKeys.webhooks(repository);
      const known = { ...webhook, version: randomUUID() };
      await Promise.all([
        redis.hset(key, url, JSON.stringify(known)),
        redis.expire(key, TTL_SECONDS),
      ]);
      return known;
    },
    /** Stores the prefix of a URL of the API's, by which other webhooks are known as ours. */
    async addUrlPrefix(url: string): Promise<void> {
      const prefix = urlPrefixOf(url);
      if (!URL_PREFIX.test(prefix)) return;
      await Promise.all([
        redis.zadd(vcsKeys.webhookUrlPrefixes, Date.now(), prefix),
        redis.zremrangebyrank(vcsKeys.webhookUrlPrefixes, 0, -MAX_URL_PREFIXES - 1),
      ]);
    },
    async remove(repository: string, { url, uuid }: { url: string; uuid: string }) {
      const key = vcsKeys.webhooks(repository);
      const urls = url === '' ? [] : [url];
      // The API may name a webhook by Bitbucket's uuid alone.
      if (url === '')
        for (const [known, text] of Object.entries(await redis.hgetall(key)))
          if (parse(text)?.uuid === uuid) urls.push(known);
      if (urls.length > 0) await redis.hdel(key, ...urls);
    },
  };
}

/** A URL without the uuid at its end. */
export function urlPrefixOf(url: string): string {
  return url.slice(0, url.length - hookUuidOf(url).length);
}

function parse(text: string | null): KnownWebhook | undefined {
  if (text === null) return undefined;
  try {
    return knownSchema.parse(JSON.parse(text));
  } catch {
    // Not ours; it is overwritten.
    return undefined;
  }
}
