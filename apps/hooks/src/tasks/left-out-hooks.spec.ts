import { KEYS } from '@cds/hooks-store/keys';
import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { refsOf, push } from '../../test/deliveries';
import { repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';

/** Far beyond what is read of one hook. */
const LARGE = 'x'.repeat(3 * 1024 * 1024);
const value = (text: string) => ({
  ...{ value: text, configurable: false, type: '', multiple_choice_list: null },
});

/** What one user may have saved, in the order in which the API writes it. */
const UNREADABLE: [what: string, make: (hook: NodeHook) => unknown, why: RegExp][] = [
  [
    'longer than 1 MiB',
    (hook) => ({ ...hook, config: { ...hook.config, payload: value(LARGE) } }),
    /longer than 1 MiB/,
  ],
  [
    'of more than 50,000 values',
    (hook) => ({ ...hook, config: { ...hook.config, payload: value(','.repeat(60_000)) } }),
    /more than 50,000 values/,
  ],
  [
    'of more than 50,000 values, with its uuid at the end',
    ({ uuid, ...hook }) => ({ ...hook, config: { list: Array(60_000).fill(0), uuid: 'no' }, uuid }),
    /more than 50,000 values/,
  ],
  [
    'of more settings than a hook has',
    (hook) => ({
      ...hook,
      config: Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`k${n}`, value('v')])),
    }),
    /configuration cannot be read/,
  ],
  ['with a setting that is none', (hook) => ({ ...hook, config: { project: 1 } }), /configuration/],
];

describe('a hook of the API that cannot be read', () => {
  const context = useTestContext();

  const isRead = ({ msg }: { msg?: unknown }) => String(msg).startsWith('tasks synchronized');
  const isLeftOut = ({ msg }: { msg?: unknown }) => String(msg).includes('is left out');

  /** A service that knows two hooks is down while the API's list changes. */
  async function leaveTasks() {
    const hooks = await context.start();
    const [one, gone] = [repositoryHook(), repositoryHook()];
    await post(hooks, one, gone);
    const before = await hooks.task(one.uuid);
    await hooks.service.stop(3_000);
    return { one, gone, before };
  }

  it.each(UNREADABLE)(
    'is left out and named, keeps its task, and stops no other: %s',
    async (_, make, why) => {
      const { one, before } = await leaveTasks();
      const others = [repositoryHook(), repositoryHook()] as const;
      context.api.hooks = [others[0], make(one) as NodeHook, others[1]];
      const { logger, lines } = captureLogger();

      const hooks = await context.start({}, { logger, timing: { recentMs: 0, secondLookMs: 0 } });
      await waitFor(() => lines.some(isRead), { what: 'the hooks of the API to be read' });

      const told = lines.filter(isLeftOut);
      expect(told[0]).toMatchObject({ level: 40, hook: one.uuid, why: expect.stringMatching(why) });
      await waitFor(async () => (await context.redisClient.scard(KEYS.tasks)) === 3, {
        what: 'the hook that is gone to be removed, and no other',
      });
      expect((await hooks.task(one.uuid)).config).toEqual(before.config);
      for (const hook of [one, ...others]) await push(hooks, hook, { push: hook.uuid });
      await waitFor(() => [one, ...others].every((hook) => refsOf(context, hook).length === 1));
    },
  );

  it('removes no task where nobody knows which one it is', async () => {
    const { one, gone } = await leaveTasks();
    const { uuid, ...rest } = one;
    context.api.hooks = [{ large: LARGE, ...rest, uuid } as unknown as NodeHook];
    const { logger, lines } = captureLogger();

    await context.start({}, { logger, timing: { recentMs: 0, secondLookMs: 0 } });
    await waitFor(() => lines.some(isRead), { what: 'the hooks of the API to be read' });

    expect(lines.filter(isLeftOut)).toMatchObject([{ level: 40 }]);
    expect(lines.find(isLeftOut)?.['hook']).toBeUndefined();
    expect((await context.redisClient.smembers(KEYS.tasks)).sort()).toEqual(
      [one.uuid, gone.uuid].sort(),
    );
  });

  it('is told of in a few lines, however many there are', async () => {
    context.api.hooks = Array.from({ length: 500 }, () => ({ id: 1 }) as NodeHook);
    const other = repositoryHook();
    context.api.hooks.push(other);
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    await hooks.synchronized();

    expect(await context.redisClient.smembers(KEYS.tasks)).toEqual([other.uuid]);
    expect(lines.filter(isLeftOut)).toHaveLength(20);
    expect(lines.filter(({ hooks: more }) => more === 480)).toHaveLength(1);
  });
});
