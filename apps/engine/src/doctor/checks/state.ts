import type { HooksConfig, ServiceName, VcsConfig } from '@cds/config';
import type { Redis } from 'ioredis';
import { ago, readStateOwner } from '../../state-owner';
import { type Check, failed, ok, type Outcome, warning } from '../finding';

/** An owner that was seen since then runs. */
const RUNS_MS = 60_000;

/** Whose state is in Redis, and can this version read it? Claims nothing. */
export function stateCheck(
  service: ServiceName,
  config: VcsConfig | HooksConfig,
  target: { subject: string; redis: Redis },
): Check {
  const run = async (): Promise<Outcome> => {
    const state = await readStateOwner(service, config, target.redis);
    if (state.kind === 'none') return ok('there is no state yet: the first start makes it');
    if (state.kind === 'format')
      return failed(
        `the state has the format ${JSON.stringify(state.format)}, and this version reads ${state.own}`,
        `start the version that wrote it, or give [${service}.cache.redis] a keyPrefix of its own`,
      );
    if (state.kind === 'ours')
      return ok(`it is the state of this CDS, last used ${ago(state.usedMs)}`);
    if (state.usedMs < RUNS_MS)
      return failed(
        'another CDS uses it now, by the URL of its API and its token or webhookKey',
        `give [${service}.cache.redis] a keyPrefix or a dbindex of its own`,
      );
    return warning(
      `it names another API, token or webhookKey, last used ${ago(state.usedMs)}`,
      `${service} finds out whether it is its own when it starts; if it waits and this is your CDS: engine ${service} adopt`,
    );
  };
  return { id: 'redis.state', subject: service, needs: [`redis ${target.subject}`], run };
}
