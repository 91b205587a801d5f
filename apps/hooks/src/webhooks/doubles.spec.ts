import { randomUUID } from 'node:crypto';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { allDone, refsOf } from '../../test/deliveries';
import { plainHook, repositoryHook, signed } from '../../test/node-hooks';
import { post, type RunningHooks, type WebhookRequest } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { pushDelivery } from '../../test/pushes';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('a change that two deliveries tell of', () => {
  const context = useTestContext();

  /** The same push by another webhook of the repository with the same URL. */
  function byAnother(request: WebhookRequest): WebhookRequest {
    const of = { 'X-Hook-UUID': randomUUID(), 'X-Request-UUID': randomUUID() };
    return { ...request, headers: { ...request.headers, ...of } };
  }

  async function send(
    hooks: RunningHooks,
    hook: NodeHook,
    request: WebhookRequest,
  ): Promise<number> {
    // A service that has just been started may not have Redis yet.
    const response = await waitFor(async () => {
      const answered = await hooks.webhook(hook.uuid, request);
      return answered.status === 503 ? undefined : answered;
    });
    expect(response.status).toBe(200);
    return ((await response.json()) as { timestamp: number }).timestamp;
  }

  async function start(): Promise<{ hooks: RunningHooks; hook: NodeHook }> {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    return { hooks, hook };
  }

  it('leads to one run, and the second delivery is kept as a duplicate of the first', async () => {
    const { hooks, hook } = await start();
    const push = pushDelivery({ push: 'main' }, { tag: 'v1' });
    const first = await send(hooks, hook, signed(hook, push));
    const second = byAnother(push);
    expect(await send(hooks, hook, signed(hook, second))).toBe(first);
    // Sent again by that webhook, it is one of the same X-Request-UUID.
    await send(hooks, hook, signed(hook, second));
    await send(hooks, hook, signed(hook, pushDelivery({ push: 'after' })));
    await waitFor(() => refsOf(context).includes('after'));

    expect(refsOf(context)).toEqual(['main', 'v1', 'after']);
    const why = (await hooks.executions(hook.uuid)).map(({ last_error }) => last_error);
    expect(why.slice(1, 3)).toEqual([
      expect.stringContaining('duplicate: a delivery with the same X-Request-UUID'),
      `duplicate: a delivery with the same change was accepted before, see the execution ${first}`,
    ]);
  });

  it('leads to one run on whichever replicas both arrive at the same moment', async () => {
    const { hooks, hook } = await start();
    const other = await context.start();
    for (let number = 0; number < 20; number += 1) {
      const push = pushDelivery({ push: `b${number}` });
      const both = [push, byAnother(push)];
      const [one, two] = await Promise.all([
        send(hooks, hook, both[number % 2] ?? push),
        send(other, hook, both[(number + 1) % 2] ?? push),
      ]);
      expect(one).toBe(two);
    }
    await allDone(hooks, hook);
    expect(new Set(refsOf(context)).size).toBe(20);
    expect(refsOf(context)).toHaveLength(20);
  });

  it('is another one with a different change of the branch between both', async () => {
    const { hooks, hook } = await start();
    const forth = { push: 'main', before: A, hash: B };
    const back = { push: 'main', before: B, hash: A };
    for (const change of [forth, back, forth, back]) await send(hooks, hook, pushDelivery(change));
    const made = { push: 'dev', hash: A };
    const gone = { deleted: 'dev', hash: A };
    for (const change of [made, gone, made]) await send(hooks, hook, pushDelivery(change));

    await waitFor(() => refsOf(context).length === 6);
    await allDone(hooks, hook);
    expect(refsOf(context)).toEqual(['main', 'main', 'main', 'main', 'dev', 'dev']);
  });

  it('keeps no other change of the delivery from its run', async () => {
    const { hooks, hook } = await start();
    await send(hooks, hook, pushDelivery({ push: 'main', hash: A }));
    const several = pushDelivery({ push: 'one' }, { push: 'main', hash: A }, { push: 'two' });
    await send(hooks, hook, several);

    await waitFor(() => refsOf(context).length === 3);
    await allDone(hooks, hook);
    expect(refsOf(context)).toEqual(['main', 'one', 'two']);
    const [execution] = await hooks.executions(hook.uuid);
    expect(execution?.last_error).toContain(
      'nothing to do for main: another delivery held this change before',
    );
  });

  it('is another one when it comes much later', async () => {
    const { hooks, hook } = await start();
    const push = pushDelivery({ push: 'main', hash: A });
    await send(hooks, hook, push);
    const { refs } = hookKeys(hook.uuid);
    const [, change = '', id = ''] =
      /^(.*):(\d+)$/.exec((await context.redisClient.hget(refs, 'refs/heads/main')) ?? '') ?? [];
    await context.redisClient.hset(
      refs,
      'refs/heads/main',
      `${change}:${Number(id) - 11 * 60_000_000}`,
    );
    await send(hooks, hook, byAnother(push));
    await waitFor(() => refsOf(context).length === 2);
  });

  it('is asked for again by an operator', async () => {
    const hooks = await context.start({ retryError: 1 });
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { refuse: 400 } : 'ok');
    const push = pushDelivery({ push: 'main' });
    const timestamp = await send(hooks, hook, push);
    await waitFor(async () => (await context.redisClient.zcard(KEYS.failed)) === 1, {
      what: 'the dead letter',
    });
    context.api.behave = () => 'ok';
    expect(await send(hooks, hook, byAnother(push))).toBe(timestamp);
    const retried = await hooks.call('POST', '/admin/dead-letters/retry', { uuid: hook.uuid });
    expect(retried.status).toBe(200);
    await waitFor(() => refsOf(context).length === 1);
    const path = `/admin/task/${hook.uuid}/execution/${timestamp}/replay`;
    expect((await hooks.call('POST', path)).status).toBeLessThan(300);
    await waitFor(() => refsOf(context).length === 2);
  });

  it('is nothing that a plain webhook knows', async () => {
    const hooks = await context.start();
    const hook = plainHook();
    await post(hooks, hook);
    for (let number = 0; number < 2; number += 1)
      await hooks.webhook(hook.uuid, pushDelivery({ push: 'main', hash: A }));
    await waitFor(() => context.api.runs().length === 2);
    expect(await context.redisClient.exists(hookKeys(hook.uuid).refs)).toBe(0);
  });

  it('is known of so many branches, and none of a name that is no name', async () => {
    const { hooks, hook } = await start();
    await context.redisClient.config('SET', 'hash-max-listpack-entries', '128');
    const { refs } = hookKeys(hook.uuid);
    const old = Array.from({ length: 1_099 }, (_, index) => [`refs/heads/${index}`, `>a:${index}`]);
    await context.redisClient.hset(refs, ...old.flat());
    await send(hooks, hook, pushDelivery({ push: 'main' }, { push: 'x'.repeat(2_000) }));
    expect(await context.redisClient.hlen(refs)).toBe(1_000);
    expect(await context.redisClient.hexists(refs, 'refs/heads/main')).toBe(1);
  });
});
