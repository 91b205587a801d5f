import { awakeTime, waitFor } from '@cds/testing';
import type { Misbehaviour } from '../../test/cds-api';
import { push, refsOf } from '../../test/deliveries';
import { repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';

/** More than are worked off at once when the API answers. */
const FAILING = 60;

describe('hooks beside hooks that fail', () => {
  const context = useTestContext();

  it.each<[string, Misbehaviour]>([
    ['refuses their runs', { refuse: 500 }],
    ['is hidden behind a proxy for them', { html: 502 }],
    ['hangs up on them', 'drop'],
    ['forgets who asks for them', 'unauthorized'],
    ['does not answer for them', { delayMs: 30_000 }],
  ])('are not delayed, and keep their order, while the API %s', async (_, misbehaviour) => {
    const start = () => context.start({ retryDelaySeconds: 1 });
    const replicas = [await start(), await start()] as const;
    const failing = Array.from({ length: FAILING }, () => repositoryHook());
    const good = repositoryHook();
    await post(replicas[0], good, ...failing);
    let failures = 0;
    context.api.behave = ({ body }) => {
      const uuid = (body as { hook?: { uuid: string } } | null)?.hook?.uuid;
      if (uuid === undefined || uuid === good.uuid) return 'ok';
      failures++;
      return misbehaviour;
    };
    for (const hook of failing) {
      await push(replicas[0], hook, { push: 'a' });
      await push(replicas[1], hook, { push: 'b' });
    }
    await waitFor(() => failures >= 40);

    const delays: number[] = [];
    for (let i = 0; i < 20; i++) {
      const run = async (): Promise<void> => {
        await push(i % 2 ? replicas[0] : replicas[1], good, { push: `g${i}` });
        await waitFor(() => refsOf(context, good).includes(`g${i}`));
      };
      delays.push(await awakeTime(run));
    }

    expect(refsOf(context, good)).toEqual(delays.map((_, i) => `g${i}`));
    expect(Math.max(...delays)).toBeLessThan(3_000);
    context.api.behave = () => 'drop';
  });
});
