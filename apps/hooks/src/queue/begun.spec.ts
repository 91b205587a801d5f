import { BEGUN_FIELD, hookKeys } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { NodeHook, Task } from '@cds/wire';
import { allDone, push } from '../../test/deliveries';
import { plainHook, repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { startQuickHooksProcess } from '../../test/hooks-process';
import { apiKnows, startTarget, webhookRun, workflowRun } from '../../test/outgoing';
import { pushDelivery } from '../../test/pushes';
import { MAX_ATTEMPTS, NEVER_ENDED } from './attempts';

const POISON = { body: '{"poison":1}', headers: { 'Content-Type': 'application/json' } };
const DIES_OF_IT = ['--require', `${__dirname}/../../test/dies-of-poison.cjs`];

describe('an execution that was begun and did not end', () => {
  const context = useTestContext();

  const begun = (uuid: string) => context.redisClient.hget(hookKeys(uuid).task, BEGUN_FIELD);
  const runsOf = ({ uuid }: NodeHook) =>
    context.api.runs().filter(({ hook }) => hook.uuid === uuid).length;

  /** The head of the hook's list, as three processes left it that died of it. */
  async function wasBegun(uuid: string, times = MAX_ATTEMPTS): Promise<void> {
    const id = await context.redisClient.lindex(hookKeys(uuid).waiting, 0);
    await context.redisClient.hset(
      hookKeys(uuid).task,
      BEGUN_FIELD,
      `${id} another-process/a-claim ${times}`,
    );
  }

  it('becomes a dead letter when three processes died of it, and nothing else is lost', async () => {
    const intake = await context.start({ disable: true });
    const [poisoned, ...others] = [plainHook(), plainHook(), repositoryHook(), repositoryHook()];
    if (!poisoned) throw new Error('no hook');
    await post(intake, poisoned, ...others);
    expect((await intake.webhook(poisoned.uuid, POISON)).ok).toBe(true);
    expect((await intake.webhook(poisoned.uuid, { query: 'n=1' })).ok).toBe(true);
    for (const hook of others) {
      if (hook.hook_model_name === 'WebHook') await intake.webhook(hook.uuid, { query: 'n=2' });
      else await push(intake, hook, { push: 'main' });
    }

    for (let times = 1; times <= MAX_ATTEMPTS; times++) {
      const { child } = await startQuickHooksProcess(context, DIES_OF_IT);
      expect((await child.exited).signal).toBe('SIGKILL');
      expect(await begun(poisoned.uuid)).toMatch(new RegExp(` ${times}$`));
    }
    const { child, ready } = await startQuickHooksProcess(context, DIES_OF_IT);
    await ready();
    await allDone(intake, poisoned);
    for (const hook of others) await allDone(intake, hook);

    const [after, dead] = await intake.executions(poisoned.uuid);
    expect(dead).toMatchObject({ status: 'DONE', last_error: NEVER_ENDED, nb_errors: 1 });
    expect(after).toMatchObject({ status: 'DONE', nb_errors: 0 });
    expect((await intake.call('GET', '/admin/dead-letters')).body).toMatchObject([
      { uuid: poisoned.uuid, last_error: NEVER_ENDED },
    ]);
    expect(runsOf(poisoned)).toBe(1);
    for (const hook of others) expect(runsOf(hook)).toBeGreaterThanOrEqual(1);
    expect(await begun(poisoned.uuid)).toBeNull();
    child.kill('SIGTERM');
    expect(await child.exited).toMatchObject({ code: 0 });
  });

  it('is given up whatever brought it, and told to CDS where CDS waits for it', async () => {
    const target = await startTarget();
    const intake = await context.start({ disable: true });
    const hooks = [plainHook(), repositoryHook()];
    await post(intake, ...hooks);
    await intake.webhook(hooks[0]?.uuid ?? '', { query: 'n=1' });
    await intake.webhook(hooks[1]?.uuid ?? '', pushDelivery({ push: 'main' }));
    const uuids = hooks.map(({ uuid }) => uuid);
    for (const run of [webhookRun(target), workflowRun()]) {
      apiKnows(context, run, { commitMs: 0 });
      uuids.push(((await intake.call('POST', '/task/execute', run)).body as Task).uuid);
    }
    for (const uuid of uuids) await wasBegun(uuid);

    const worker = await context.start();
    for (const uuid of uuids) {
      const over = async () => (await worker.executions(uuid))[0]?.status === 'DONE';
      await waitFor(over, { what: 'the execution to be given up' });
      expect((await worker.executions(uuid))[0]?.last_error).toBe(NEVER_ENDED);
    }
    expect(context.api.runs()).toEqual([]);
    expect(target.received).toEqual([]);
    expect(context.api.callbacks.map(({ callback }) => [callback.status, callback.log])).toEqual([
      ['Fail', NEVER_ENDED],
      ['Fail', NEVER_ENDED],
    ]);
    expect((await worker.status())['Dead Letters'] ?? {}).not.toMatchObject({ value: '0' });
    target.stop();
  });

  it('is worked off when it was begun less often, and what was counted is forgotten', async () => {
    const target = await startTarget();
    const intake = await context.start({ disable: true });
    const hook = plainHook();
    await post(intake, hook);
    await intake.webhook(hook.uuid, { query: 'n=1' });
    const run = webhookRun(target);
    apiKnows(context, run);
    const { uuid } = (await intake.call('POST', '/task/execute', run)).body as Task;
    for (const each of [hook.uuid, uuid]) await wasBegun(each, MAX_ATTEMPTS - 1);

    const worker = await context.start();
    await allDone(worker, hook);
    await waitFor(() => context.api.callbacks.length === 1, { what: 'the callback' });
    expect(context.api.callbacks[0]?.callback.status).toBe('Success');
    expect(runsOf(hook)).toBe(1);
    for (const each of [hook.uuid, uuid])
      await waitFor(async () => (await begun(each)) === null, {
        what: 'the count to be forgotten',
      });
    target.stop();
  });

  it('is not counted for a process that is killed while the API is asked, however often', async () => {
    const intake = await context.start({ disable: true });
    const hook = plainHook();
    await post(intake, hook);
    await intake.webhook(hook.uuid, { query: 'n=1' });
    let asked = 0;
    context.api.behave = ({ url }) => {
      if (!url.endsWith('/runs')) return 'ok';
      asked++;
      return { delayMs: 30_000 };
    };
    const counts: (string | null)[] = [];
    for (let kills = 1; kills <= MAX_ATTEMPTS + 1; kills++) {
      const { child } = await startQuickHooksProcess(context);
      await waitFor(() => asked === kills, { what: 'the run to be asked for' });
      counts.push((await begun(hook.uuid))?.split(' ')[2] ?? null);
      child.kill('SIGKILL');
      await child.exited;
    }
    // The first death looks like any other; then it is counted while nobody is asked, and not
    // beyond.
    expect(counts).toEqual(['1', null, '1', null]);
    context.api.behave = () => 'ok';
    await context.start();
    await allDone(intake, hook);
    expect((await intake.executions(hook.uuid))[0]).toMatchObject({ nb_errors: 0 });
  });

  it('is not counted when it is given back by a process that ends', async () => {
    const first = await context.start();
    const hook = plainHook();
    await post(first, hook);
    let asked = false;
    context.api.behave = ({ url }) => {
      if (!url.endsWith('/runs')) return 'ok';
      asked = true;
      return { refuse: 503 };
    };
    await first.webhook(hook.uuid, { query: 'n=1' });
    await waitFor(() => asked, { what: 'the run to be asked for' });
    await first.service.stop(3_000);
    expect(await context.redisClient.llen(hookKeys(hook.uuid).waiting)).toBe(1);
    expect(await begun(hook.uuid)).toBeNull();
  });
});
