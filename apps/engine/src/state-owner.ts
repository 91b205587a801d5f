import type { HooksConfig, ServiceName, VcsConfig } from '@cds/config';
import { STATE_FORMAT } from '@cds/hooks-store';
import { HOOKS_STATE_KEY, redisNowMs, stateOwnerOf, VCS_STATE_FORMAT, vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';

const MARKS = {
  hooks: { key: HOOKS_STATE_KEY, format: STATE_FORMAT },
  vcs: { key: vcsKeys.state, format: VCS_STATE_FORMAT },
};

/** Whose state is in Redis: nobody's, one that this version cannot read, this CDS's, another's. */
export type StateOwner =
  | { kind: 'none' }
  | { kind: 'format'; format: string; own: string }
  /** `usedMs`: so many milliseconds ago, by the clock of Redis. */
  | { kind: 'ours' | 'other'; usedMs: number };

/** The name of the configured CDS in the mark of a state. */
export function configuredOwner(config: VcsConfig | HooksConfig): Promise<string> {
  const webhookKey = 'webhookKey' in config ? config.webhookKey : config.webhookKeys[0];
  return stateOwnerOf({ ...config.api, webhookKey });
}

/** Reads whose state it is. Claims nothing. */
export async function readStateOwner(
  service: ServiceName,
  config: VcsConfig | HooksConfig,
  redis: Redis,
): Promise<StateOwner> {
  const { key, format } = MARKS[service];
  const [mark, now, own] = await Promise.all([
    redis.hgetall(key),
    redisNowMs(redis),
    configuredOwner(config),
  ]);
  if (mark.format === undefined) return { kind: 'none' };
  if (mark.format !== format)
    return { kind: 'format', format: mark.format.slice(0, 50), own: format };
  const seen = Number(mark[`owner:${own}`] ?? NaN);
  if (!Number.isNaN(seen)) return { kind: 'ours', usedMs: now - seen };
  const others = Object.entries(mark).filter(([name]) => name.startsWith('owner:'));
  const last = Math.max(0, ...others.map(([, at]) => Number(at) || 0));
  return { kind: 'other', usedMs: now - last };
}

/** `42 s ago` */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200
    ? `${Math.round(seconds / 60)} min ago`
    : `${Math.round(seconds / 3_600)} h ago`;
}
