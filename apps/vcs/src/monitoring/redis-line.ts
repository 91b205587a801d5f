import type { MissingRights, RedisHealth, Writes } from '@cds/redis';
import type { MonitoringLine } from '@cds/wire';
import type { Redis } from 'ioredis';

/** The line of `/mon/status` about Redis: whether it answers and takes writes. */
export async function redisLine(
  redis: Redis,
  state: Pick<Writes, 'refusal'> & { missingRights: MissingRights['sentence'] },
): Promise<MonitoringLine> {
  const line = { component: 'Redis', type: '' };
  if (!(await answers(redis)))
    return { ...line, status: 'AL', value: 'Redis does not answer: no grant can be renewed' };
  const why = state.refusal();
  const missing = state.missingRights(why);
  if (why !== undefined)
    return { ...line, status: 'AL', value: `refuses writes, so no grant can be renewed: ${why}` };
  if (missing !== undefined)
    return { ...line, status: 'AL', value: `refuses commands, so that calls fail: ${missing}` };
  return { ...line, status: 'OK', value: 'OK' };
}

/** Whether Redis answers; an error (a PING that an ACL forbids) is an answer, too. */
export async function answers(redis: Redis): Promise<boolean> {
  return redis.ping().then(
    () => true,
    (error: unknown) => error instanceof Error && error.name === 'ReplyError',
  );
}

/** The settings of Redis that endanger the grants in it, a line each. */
export function redisSettingsLines(health: RedisHealth): MonitoringLine[] {
  return health
    .warnings()
    .map((value) => ({ component: 'Redis Settings', type: '', status: 'WARN', value }));
}
