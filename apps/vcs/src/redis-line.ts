import type { RedisHealth } from '@cds/redis';
import type { MonitoringLine } from '@cds/wire';
import type { Redis } from 'ioredis';

/** The line of `/mon/status` that says whether grants can be renewed. */
export async function redisLine(redis: Redis): Promise<MonitoringLine> {
  const line = { component: 'Redis', type: '' };
  try {
    await redis.ping();
    return { ...line, status: 'OK', value: 'OK' };
  } catch {
    return { ...line, status: 'AL', value: 'Redis does not answer: no grant can be renewed' };
  }
}

/** What about Redis endangers the grants in it, a line each. */
export function redisSettingsLines(health: RedisHealth): MonitoringLine[] {
  return health
    .warnings()
    .map((value) => ({ component: 'Redis Settings', type: '', status: 'WARN', value }));
}
