import type { HooksConfig, ServiceName, VcsConfig } from '@cds/config';
import { STATE_FORMAT } from '@cds/hooks-store';
import { HOOKS_STATE_KEY, stateOwnerOf, VCS_STATE_FORMAT, vcsKeys } from '@cds/redis';
import { redisNowMs } from '@cds/redis';
import type { Redis } from 'ioredis';
import { type Check, failed, ok, type Outcome, warning } from '../finding';

const MARKS = {
  hooks: { key: HOOKS_STATE_KEY, format: STATE_FORMAT },
  vcs: { key: vcsKeys.state, format: VCS_STATE_FORMAT },
};
/** An owner that was seen since then runs. */
const RUNS_MS = 60_000;

/** Whose state is in Redis, and can this version read it? Claims nothing. */
export function stateCheck(
  service: ServiceName,
  config: VcsConfig | HooksConfig,
  target: { subject: string; redis: Redis },
): Check {
  const run = async (): Promise<Outcome> => {
    const { key, format } = MARKS[service];
    const webhookKey = 'webhookKey' in config ? config.webhookKey : config.webhookKeys[0];
    const [mark, now, own] = await Promise.all([
      target.redis.hgetall(key),
      redisNowMs(target.redis),
      stateOwnerOf({ ...config.api, webhookKey }),
    ]);
    if (mark.format === undefined) return ok('there is no state yet: the first start makes it');
    if (mark.format !== format)
      return failed(
        `the state has the format ${JSON.stringify(mark.format.slice(0, 50))}, and this version reads ${format}`,
        `start the version that wrote it, or give [${service}.cache.redis] a keyPrefix of its own`,
      );
    const seen = Number(mark[`owner:${own}`] ?? NaN);
    if (!Number.isNaN(seen)) return ok(`it is the state of this CDS, last used ${ago(now - seen)}`);
    const others = Object.entries(mark).filter(([name]) => name.startsWith('owner:'));
    const last = Math.max(0, ...others.map(([, at]) => Number(at) || 0));
    if (now - last < RUNS_MS)
      return failed(
        'another CDS uses it now, by the URL of its API and its token or webhookKey',
        `give [${service}.cache.redis] a keyPrefix or a dbindex of its own`,
      );
    return warning(
      `it names another API, token or webhookKey, last used ${ago(now - last)}`,
      `${service} finds out whether it is its own when it starts; if it waits and this is your CDS: engine ${service} adopt`,
    );
  };
  return { id: 'redis.state', subject: service, needs: [`redis ${target.subject}`], run };
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200
    ? `${Math.round(seconds / 60)} min ago`
    : `${Math.round(seconds / 3_600)} h ago`;
}
