import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import { monitorRedis } from './monitor-redis';
import type { TestContext } from './test-context';

/**
 * All commands that Redis gets from the service while `work` runs, those of scripts included.
 *
 * @param onlyRoundTrips without those of scripts
 */
export async function commandsDuring(
  { redis, redisClient }: TestContext,
  work: () => Promise<void>,
  { onlyRoundTrips = false } = {},
): Promise<string[][]> {
  // What comes at the start of the service is none of it.
  await waitFor(
    async () =>
      (await redisClient.exists(`${KEYS.synchronizing}:done`)) === 1 &&
      (await redisClient.exists(KEYS.synchronizing)) === 0,
    { what: 'the first synchronization' },
  );
  const commands: string[][] = [];
  const endMonitor = await monitorRedis(redis.url, (args, isOfScript) => {
    if (!isOfScript || !onlyRoundTrips) commands.push(args);
  });
  await work();
  await redisClient.echo('all came in');
  await waitFor(() => commands.some(([name]) => name?.toLowerCase() === 'echo'));
  endMonitor();
  // Each answer of the API leads to a look at what waits for it, and each two seconds to a look at
  // the queues.
  const attempt: (string | undefined)[] = [KEYS.apiWaiters, KEYS.queues];
  return commands.filter(([name, key]) => name?.toLowerCase() !== 'echo' && !attempt.includes(key));
}
