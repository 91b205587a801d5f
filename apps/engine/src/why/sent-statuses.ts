import { ConfigError, loadConfig } from '@cds/config';
import { type HookReport, readSentStatuses } from '@cds/hooks-store';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { withRedis } from '../service-redis';

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
      for (const report of reports) await readSentStatuses(client, report);
    });
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `statuses sent to Bitbucket are not known: the ${why.replace(/: $/, '')}.`;
  }
}

function redisOfVcs(files: readonly string[] | undefined, { env, documents }: Context) {
  try {
    return loadConfig({ services: ['vcs'], files, documents, env }).vcs?.redis;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
