import { isConfigError, loadConfig } from '@cds/config';
import { vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { withRedis } from '../service-redis';
import { type CommitStatus, type HookReport, sentStatusSchema } from './push-report';

/**
 * Adds what Bitbucket was sent of the commits, as vcs remembers it for 30 days.
 * @returns why it cannot be known; undefined where it is
 */
export async function addSentStatuses(
  reports: readonly HookReport[],
  { config: files }: ConfigOption,
  context: Context,
): Promise<string | undefined> {
  const redis = redisOfVcs(files, context);
  if (!redis)
    return 'statuses sent to Bitbucket are not known: name the configuration file of vcs, too, with another --config.';
  try {
    await withRedis(redis, '', async (client) => {
      for (const report of reports) await addTo(client, report);
    });
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `statuses sent to Bitbucket are not known: the ${why.replace(/: $/, '')}.`;
  }
}

function redisOfVcs(files: readonly string[] | undefined, { env }: Context) {
  try {
    return loadConfig({ services: ['vcs'], files, env }).vcs?.redis;
  } catch (error) {
    if (isConfigError(error)) return undefined;
    throw error;
  }
}

async function addTo(redis: Redis, { repository, events }: HookReport): Promise<void> {
  for (const event of events) {
    if (event.kind === 'refusal') continue;
    const hashes = new Set(event.changes.map(({ hash }) => hash).filter((hash) => hash !== ''));
    const found: [string, CommitStatus[]][] = [];
    for (const hash of hashes) {
      const stored = await redis.hgetall(vcsKeys.statusesOfCommit(repository, hash));
      found.push([hash, Object.entries(stored).flatMap(([key, text]) => statusOf(key, text))]);
    }
    event.statuses = Object.fromEntries(found);
  }
}

function statusOf(key: string, text: string): CommitStatus[] {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return [];
  }
  const { data } = sentStatusSchema.safeParse(stored);
  if (!data) return [];
  const { state, description, number, at } = data;
  const sent_at = at === undefined ? '' : new Date(at).toISOString();
  return [{ key, state, description, workflow_run: number, sent_at }];
}
