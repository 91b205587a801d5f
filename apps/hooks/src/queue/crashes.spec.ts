import { awakeTime, takesTime, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { allDone, push, refsOf } from '../../test/deliveries';
import { plainHook, repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { startHooksProcess } from '../../test/hooks-process';
import { pushDelivery } from '../../test/pushes';

describe('crashes and outages', () => {
  const context = useTestContext();

  const refs = (hook?: NodeHook) => refsOf(context, hook);

  it('waits for a Redis that is not up yet', async () => {
    const hook = repositoryHook();
    const first = await context.start();
    await post(first, hook);
    await first.service.stop(2_000);
    await context.redis.kill();
    const hooks = await context.start();

    const answer = await hooks.webhook(hook.uuid, pushDelivery({ push: 'main' }));
    expect(answer.status).toBe(503);
    expect((await hooks.status()).Redis?.status).toBe('AL');
    await takesTime(1_500);
    await context.redis.start();

    await waitFor(async () => (await hooks.webhook(hook.uuid, pushDelivery({ push: 'main' }))).ok);
    await waitFor(() => refs().length === 1);
  });

  it('loses nothing and asks twice for nothing when Redis is killed and comes back', async () => {
    const hooks = await context.start();
    const hookList = [repositoryHook(), repositoryHook(), repositoryHook()];
    await post(hooks, ...hookList);
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { delayMs: 30 } : 'ok');
    const accepted = new Map(hookList.map((hook) => [hook.uuid, [] as string[]]));
    const sending = { on: true };
    let refused = 0;
    const senders = hookList.map(async (hook) => {
      for (let i = 0; sending.on; i++) {
        const response = await hooks.webhook(hook.uuid, pushDelivery({ push: `b${i}` }));
        if (response.status === 200) accepted.get(hook.uuid)?.push(`b${i}`);
        else refused += 1;
        await takesTime(20);
      }
    });
    await waitFor(() => context.api.runs().length > 10);

    await context.redis.kill();
    await waitFor(() => refused > 0, { what: 'the outage to be noticed' });
    await context.redis.start();
    await waitFor(() => (accepted.get(hookList[0]?.uuid ?? '')?.length ?? 0) > 40);
    sending.on = false;
    await Promise.all(senders);
    for (const hook of hookList) await allDone(hooks, hook);

    for (const hook of hookList) {
      const asked = refs(hook);
      // A delivery answered 503 may be there all the same: its fate was not certain.
      expect(new Set(asked).size).toBe(asked.length);
      expect(asked.filter((ref) => accepted.get(hook.uuid)?.includes(ref ?? ''))).toEqual(
        accepted.get(hook.uuid),
      );
    }
  });

  it('asks for no run twice when Redis is frozen longer than any lock lives', async () => {
    const start = () => context.start({}, { timing: { lockMs: 1_000 } });
    const replicas = [await start(), await start()] as const;
    const hookList = Array.from({ length: 4 }, () => repositoryHook());
    await post(replicas[0], ...hookList);
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { delayMs: 300 } : 'ok');
    for (const hook of hookList) {
      for (let i = 0; i < 6; i++) await push(replicas[0], hook, { push: `b${i}` });
    }
    await waitFor(() => context.api.runs().length >= 2);

    context.redis.freeze();
    await takesTime(4_000);
    context.redis.thaw();
    for (const hook of hookList) await allDone(replicas[1], hook);

    for (const hook of hookList) {
      expect(refs(hook)).toEqual(Array.from({ length: 6 }, (_, i) => `b${i}`));
    }
  });

  it('finishes what is under way when it is stopped, and leaves the rest to others', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    let asked = false;
    context.api.behave = ({ url }) => {
      if (!url.endsWith('/runs')) return 'ok';
      asked = true;
      return { delayMs: 2_000 };
    };
    for (let i = 0; i < 4; i++) await push(hooks, hook, { push: `b${i}` });
    await waitFor(() => asked);

    await hooks.service.stop(60_000);
    expect(refs()).toEqual(['b0']);
    context.api.behave = () => 'ok';
    const next = await context.start();
    await allDone(next, hook);

    expect(refs()).toEqual(['b0', 'b1', 'b2', 'b3']);
  });

  it('ends at once when Redis is away and nothing is under way', async () => {
    const hooks = await context.start();
    await post(hooks, repositoryHook());
    await context.redis.kill();
    try {
      // It would wait for an hour otherwise.
      await hooks.service.stop(3_600_000);
    } finally {
      await context.redis.start();
    }
  });

  async function startServiceProcess() {
    const started = await startHooksProcess(context);
    await started.ready();
    return started;
  }

  const numbers = () => context.api.runs().map((run) => Number(run.hook.payload.n));
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

  it('goes on after a process was killed with SIGKILL: nothing is lost, nothing overtakes', async () => {
    const hooks = await context.start({ disable: true });
    const hook = plainHook();
    await post(hooks, hook);
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { delayMs: 150 } : 'ok');
    const first = await startServiceProcess();
    for (const n of upTo(30)) {
      const sent = await fetch(`${first.url}/webhook/${hook.uuid}?n=${n}`, { method: 'POST' });
      expect(sent.status).toBe(200);
    }
    await waitFor(() => context.api.runs().length >= 3);

    first.child.kill('SIGKILL');
    await first.child.exited;
    const second = await startServiceProcess();
    await waitFor(() => numbers().includes(29), { what: 'the last run' });

    expect([...new Set(numbers())]).toEqual(upTo(30));
    expect(numbers().length).toBeLessThanOrEqual(31);
    second.child.kill('SIGTERM');
    expect(await second.child.exited).toMatchObject({ code: 0 });
  });

  it('is a process that outlives all that happens to Redis and to the API', async () => {
    const hooks = await context.start({ disable: true });
    const hook = plainHook();
    await post(hooks, hook);
    const { child, url } = await startServiceProcess();
    let sent = 0;
    const accepted: number[] = [];
    // Each try has a number of its own: what was answered 503 may have been kept all the same.
    const send = async () => {
      const n = sent++;
      const answer = await fetch(`${url}/webhook/${hook.uuid}?n=${n}`, { method: 'POST' });
      if (answer.ok) accepted.push(n);
      return answer.ok;
    };
    await waitFor(send);
    await waitFor(() => numbers().length > 0);

    await context.redis.kill();
    await takesTime(3_000);
    await context.redis.start();
    await waitFor(send);
    context.redis.freeze();
    await takesTime(6_000);
    context.redis.thaw();
    await waitFor(send);
    await context.api.stop();
    await waitFor(send);
    await takesTime(2_000);
    await context.api.start();

    await waitFor(() => accepted.every((n) => numbers().includes(n)));
    expect(new Set(numbers()).size).toBe(numbers().length);
    expect(numbers()).toEqual(numbers().toSorted((a, b) => a - b));
    child.kill('SIGTERM');
    expect(await awakeTime(() => child.exited)).toBeLessThan(10_000);
    expect(await child.exited).toMatchObject({ code: 0 });
  });

  it('ends within 30 s although what a run led to cannot be kept', async () => {
    const hooks = await context.start({ disable: true });
    const hook = plainHook();
    await post(hooks, hook);
    const { child, url } = await startServiceProcess();
    let asked = false;
    context.api.behave = ({ url: path }) => {
      if (!path.endsWith('/runs')) return 'ok';
      asked = true;
      return { delayMs: 1_000 };
    };
    await waitFor(
      async () => (await fetch(`${url}/webhook/${hook.uuid}?n=0`, { method: 'POST' })).ok,
    );
    await waitFor(() => asked, { what: 'the run to be asked for' });
    await context.redis.kill();
    try {
      child.kill('SIGTERM');
      expect(await awakeTime(() => child.exited)).toBeLessThan(30_000);
      expect(await child.exited).toMatchObject({ code: 0 });
      expect(numbers()).toEqual([0]);
    } finally {
      await context.redis.start();
    }
  });
});
