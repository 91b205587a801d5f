import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { Redis } from 'ioredis';
import type { World } from './harness';
import { monitorRedis } from './monitor-redis';

/** Does it, and waits until the service has read what Redis knows of the hook. */
export async function lookedUp(world: World, hook: NodeHook, work: () => void): Promise<void> {
  const redis = new Redis(world.redis.url);
  let seen = false;
  const endMonitor = await monitorRedis(world.redis.url, (args) => {
    seen ||= args.some((arg) => arg.includes(hook.uuid));
  });
  try {
    work();
    await waitFor(() => seen, { what: 'the hook to be looked up' });
    // The service's answer has been written by then, too.
    await redis.ping();
  } finally {
    endMonitor();
    redis.disconnect();
  }
}
