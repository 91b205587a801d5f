import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { Redis } from 'ioredis';
import type { World } from './harness';

/** Does it, and waits until the service has read what Redis knows of the hook. */
export async function lookedUp(world: World, hook: NodeHook, work: () => void): Promise<void> {
  const redis = new Redis(world.redis.url);
  const monitor = await redis.monitor();
  let seen = false;
  monitor.on('monitor', (_time: string, args: string[]) => {
    seen ||= args.some((arg) => arg.includes(hook.uuid));
  });
  try {
    work();
    await waitFor(() => seen, { what: 'the hook to be looked up' });
    // The service's answer has been written by then, too.
    await redis.ping();
  } finally {
    monitor.disconnect();
    redis.disconnect();
  }
}
