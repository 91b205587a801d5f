import { hookKeys } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import { repositoryHook } from '../../../test/node-hooks';
import { post } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { pathOf } from './paths';
import { PASSWORD, uiClient } from './ui-client.fixture';

const HOOKS = 20;
const EXECUTIONS = 1_000;
/** Executions are read 20 at a time. */
const ALL_READS = (HOOKS * EXECUTIONS) / 20;

describe('the search for a push', () => {
  const context = useTestContext();

  /** Reads of executions since Redis was started. */
  async function reads(): Promise<number> {
    const stats = await context.redisClient.info('commandstats');
    return Number(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  it('ends when its reader leaves', async () => {
    const running = await context.start({ ui: { password: PASSWORD, cdsUrl: undefined } });
    const hooks = Array.from({ length: HOOKS }, (_, i) => repositoryHook({ workflow: `wf-${i}` }));
    await post(running, ...hooks);
    for (const { uuid } of hooks) {
      const { executions, done } = hookKeys(uuid);
      const ids = Array.from({ length: EXECUTIONS }, (_, i) => String(Date.now() * 1_000 + i));
      const writing = context.redisClient.multi();
      writing.hset(executions, Object.fromEntries(ids.map((id) => [id, '{}'])));
      await writing.zadd(done, ...ids.flatMap((id) => [id, id])).exec();
    }
    const ui = uiClient(running.url);
    await ui.logIn();
    const before = await reads();

    const leaving = new AbortController();
    const asking = fetch(
      running.url + pathOf('/why', { target: 'jdoe/repo-0', branch: 'no-such-branch' }),
      { headers: { Cookie: ui.cookie() }, signal: leaving.signal },
    );
    await waitFor(async () => (await reads()) > before + 10);
    leaving.abort();
    await expect(asking).rejects.toThrow('aborted');
    let last = 0;
    await waitFor(async () => {
      const now = await reads();
      const isOver = now === last;
      last = now;
      return isOver;
    });
    // Each hmget of the executions has one of their states beside it.
    expect(last - before).toBeLessThan(2 * ALL_READS);
  });
});
