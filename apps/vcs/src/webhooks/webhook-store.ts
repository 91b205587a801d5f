import { randomUUID } from 'node:crypto';
import type { RepoRef } from '@cds/bitbucket';
import { vcsKeys } from '@cds/redis';
import { hookUuidOf } from '@cds/webhook-signature';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { fullNameOf } from '../http/repository-ref';

/** Renewed whenever the webhooks of the repository are looked at. What is forgotten gets its secret once more. */
const TTL_SECONDS = 100 * 24 * 60 * 60;

/** An urlPublic of `hooks` that was not used for so many others is no longer ours. */
const MOST_BEGINNINGS = 20;

/** What every URL of `hooks` has before the uuid. */
const BEGINNING = /^https?:\/\/[^/\s]+\/(?:.*\/)?webhook\/$/;

const knownSchema = z.object({
  uuid: z.string(),
  events: z.array(z.string()),
  key: z.string(),
  version: z.string(),
});

/** A webhook that `vcs` put in force, or that the API named. */
export interface KnownWebhook {
  /** Bitbucket's. */
  uuid: string;
  /** What the API wants. */
  events: string[];
  /** Fingerprint of the key that its secret was made with; '' when that is not known. */
  key: string;
  /** Another one after every change. */
  version: string;
}

export interface KnownHere {
  /** By URL, as Bitbucket has it. */
  webhooks: Map<string, KnownWebhook>;
  /** URLs of `hooks` without their uuid. */
  beginnings: Set<string>;
}

/** The webhooks of ours, kept in Redis by repository. Every method rejects when Redis does not answer. */
export interface KnownWebhooks {
  of(repository: string): Promise<KnownHere>;
  get(repository: string, url: string): Promise<KnownWebhook | undefined>;
  remember(
    repository: string,
    url: string,
    webhook: Omit<KnownWebhook, 'version'>,
  ): Promise<KnownWebhook>;
  /** Remembers that the API's URLs begin like this one. */
  learnBeginning(url: string): Promise<void>;
  forget(repository: string, webhook: { url: string; uuid: string }): Promise<void>;
}

/** What a repository is called here. Bitbucket does not tell capitals from small letters. */
export function repositoryId(server: string, repo: RepoRef): string {
  return `${server}:${fullNameOf(repo).toLowerCase()}`;
}

/** @param hooksUrl `urlPublic` of `hooks`, where the configuration of `vcs` holds it too */
export function createKnownWebhooks(redis: Redis, hooksUrl?: string): KnownWebhooks {
  const configured = hooksUrl === undefined ? [] : [`${hooksUrl.replace(/\/+$/, '')}/webhook/`];

  return {
    async of(repository) {
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
      return { webhooks, beginnings: new Set([...configured, ...learned]) };
    },
    async get(repository, url) {
      return parse(await redis.hget(vcsKeys.webhooks(repository), url));
    },
    async remember(repository, url, webhook) {
      const key = vcsKeys.webhooks(repository);
      const known = { ...webhook, version: randomUUID() };
      await Promise.all([
        redis.hset(key, url, JSON.stringify(known)),
        redis.expire(key, TTL_SECONDS),
      ]);
      return known;
    },
    async learnBeginning(url) {
      const beginning = beginningOf(url);
      if (!BEGINNING.test(beginning)) return;
      await Promise.all([
        redis.zadd(vcsKeys.webhookUrlPrefixes, Date.now(), beginning),
        redis.zremrangebyrank(vcsKeys.webhookUrlPrefixes, 0, -MOST_BEGINNINGS - 1),
      ]);
    },
    async forget(repository, { url, uuid }) {
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

/** A URL without the uuid that it ends in. */
export function beginningOf(url: string): string {
  return url.slice(0, url.length - hookUuidOf(url).length);
}

function parse(text: string | null): KnownWebhook | undefined {
  if (text === null) return undefined;
  try {
    return knownSchema.parse(JSON.parse(text));
  } catch {
    // Somebody else's; it is overwritten.
    return undefined;
  }
}
