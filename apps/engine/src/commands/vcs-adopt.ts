import { formatProblem, isConfigError, loadConfig, type VcsConfig } from '@cds/config';
import { createVcsStateMark, stateOwnerOf } from '@cds/redis';
import { CommandError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { withRedis } from '../hooks-redis';

const OF_VCS =
  'look whether it runs, and whether [vcs.cache.redis] of the configuration (or CDS_VCS_CACHE_REDIS_HOST, …_PASSWORD and …_DBINDEX) is the one that vcs uses.';

/**
 * `engine vcs adopt`: what is in Redis is the state of the CDS of the configuration, and of no
 * other.
 */
export async function adoptVcsState(o: ConfigOption, context: Context): Promise<void> {
  const { redis: address, api } = readVcsConfig(o.config, context);
  const owner = await stateOwnerOf(api);
  const claim = await withRedis(address, OF_VCS, (redis) =>
    createVcsStateMark(redis, [owner])('adopt'),
  );
  if (claim.kind === 'format')
    throw new CommandError(
      `the state in Redis has the format ${JSON.stringify(claim.format)}, which this version cannot read: use the engine of the version that wrote it.`,
    );
  context.out(
    'Adopted: what is in Redis is the state of this CDS now, and of no other. A vcs that waits for it begins within seconds.\n',
  );
}

function readVcsConfig(files: readonly string[] | undefined, context: Context): VcsConfig {
  try {
    const { vcs } = loadConfig({ services: ['vcs'], files, env: context.env });
    if (vcs) return vcs;
  } catch (error) {
    if (!isConfigError(error)) throw error;
    error.problems.forEach((problem) => context.say(formatProblem(problem)));
  }
  throw new CommandError(
    'the configuration of vcs is not complete: name its file with --config, or set its environment.',
  );
}
