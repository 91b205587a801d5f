import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { monitorRedis } from './monitor-redis';
import type { TestContext } from './test-context';

/** Does it, and waits until the service has read what Redis knows of the hook. */
export async function lookedUp(
  { redis, redisClient }: TestContext,
  hook: NodeHook,
  work: () => void,
): Promise<void> {
  let seen = false;
  const endMonitor = await monitorRedis(redis.url, (args) => {
    seen ||= args.some((arg) => arg.includes(hook.uuid));
  });
  try {
    work();
    await waitFor(() => seen, { what: 'the hook to be looked up' });
    // The service's answer has been written by then, too.
    await redisClient.ping();
  } finally {
    endMonitor();
  }
}
