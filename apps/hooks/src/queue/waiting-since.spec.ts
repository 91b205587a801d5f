import { randomUUID } from 'node:crypto';
import {
  createDeadLetters,
  createKeyRepair,
  createReplay,
  createTaskStore,
  NEW_STATE,
  parseState,
  createDeliveryStore,
  createExecutionStore,
} from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { fuzzRuns, startTestRedis, type TestRedis } from '@cds/testing';
import fc from 'fast-check';
import { Redis } from 'ioredis';

const HOOKS = [randomUUID(), randomUUID()];
const OPERATIONS = [
  ...(['accept', 'accept', 'accept', 'done', 'done', 'failed', 'retry', 'replay'] as const),
  ...(['stop task', 'start task', 'end one', 'end last', 'remove all', 'remove task'] as const),
  'lose one',
] as const;

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.port, server.host);
});
beforeEach(() => server.flush());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function createStores() {
  const deliveries = createDeliveryStore({
    ...{ redis, executionHistory: 3, deadLetters: 3, signature: 'auto' },
  });
  const executions = createExecutionStore({ redis, executionHistory: 3 });
  const tasks = createTaskStore({ redis });
  let clock = Date.now();

  const putTask = (uuid: string) =>
    tasks.put({ uuid, type: 'Webhook', method: 'POST', config: {} }, clock);

  async function accept(uuid: string): Promise<void> {
    clock += 7;
    await putTask(uuid);
    await deliveries.accept({
      ...{ uuid, method: 'POST', validatedFor: 'Webhook', validation: 'accept', signature: 'none' },
      ...{ requestUuid: '', acceptedAt: clock, requestId: 'r', ignored: NEW_STATE },
      duplicate: NEW_STATE,
      received: {
        webhook: { request_url: '', request_body: '', request_header: {}, request_method: '' },
      },
    });
  }

  async function finish(uuid: string, failed: boolean): Promise<void> {
    const taken = await deliveries.takePending(uuid, 'me', 'job');
    if (taken.kind !== 'work') return;
    const { id, state, stateJson } = taken.pending;
    const ended = { ...state, status: 'DONE' as const, failed };
    await deliveries.finish({ uuid, lockToken: 'me' }, id, ended, stateJson);
  }

  async function perform(operation: (typeof OPERATIONS)[number], uuid: string): Promise<void> {
    const keys = hookKeys(uuid);
    const waiting = await redis.lrange(keys.waiting, 0, -1);
    const last = waiting.at(-1) ?? '';
    switch (operation) {
      case 'accept':
        return accept(uuid);
      case 'done':
      case 'failed':
        return finish(uuid, operation === 'failed');
      case 'retry':
        await createDeadLetters({ redis }).retryAll({ until: Date.now() + 5_000 });
        return;
      case 'replay': {
        const [id = ''] = await redis.zrange(keys.done, '0', '0');
        await createReplay({ redis })(uuid, id, (clock += 100_000));
        return;
      }
      case 'stop task':
      case 'start task':
        await tasks.setStopped(uuid, operation === 'stop task');
        return;
      case 'end one':
      case 'end last':
        await executions.stop(uuid, operation === 'end one' ? (waiting[0] ?? '') : last, {});
        return;
      case 'remove all':
        await executions.removeAll(uuid, last);
        return;
      case 'remove task':
        await tasks.remove(uuid, undefined, last);
        return;
      case 'lose one':
        await redis.hdel(keys.executions, waiting[0] ?? '');
    }
  }
  return { accept, finish, perform, tasks };
}

/** What the sets have to hold, found out the long way. */
async function expected() {
  const waitingSince: Record<string, number> = {};
  const stopped: Record<string, number> = {};
  for (const uuid of HOOKS) {
    const keys = hookKeys(uuid);
    const id = await redis.lindex(keys.waiting, 0);
    if (!id) continue;
    const { queued_at } = parseState(await redis.hget(keys.states, id));
    const isStopped = (await redis.hget(keys.task, 'stopped')) === '1';
    (isStopped ? stopped : waitingSince)[uuid] = queued_at ?? Math.floor(Number(id) / 1000);
  }
  return { waitingSince, stopped };
}

async function scores(key: string): Promise<Record<string, number>> {
  const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES');
  return Object.fromEntries(
    flat.flatMap((uuid, i) => (i % 2 === 0 ? [[uuid, Number(flat[i + 1])]] : [])),
  );
}

const actual = async () => ({
  waitingSince: await scores(KEYS.waitingSince),
  stopped: await scores(KEYS.stoppedWaitingSince),
});

describe('since when deliveries wait', () => {
  it('is known after whatever happens to deliveries and tasks', async () => {
    const operation = fc.tuple(fc.constantFrom(...OPERATIONS), fc.constantFrom(...HOOKS));
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        await server.flush();
        const { perform } = createStores();
        for (const [name, uuid] of operations) {
          await perform(name, uuid);
          expect(await actual()).toEqual(await expected());
        }
      }),
      fuzzRuns(40),
    );
  });

  it('begins anew for what was sent again', async () => {
    const { accept, finish } = createStores();
    const [hook = ''] = HOOKS;
    await accept(hook);
    const accepted = (await actual()).waitingSince[hook] ?? 0;
    await finish(hook, true);
    expect((await actual()).waitingSince).toEqual({});
    const id = String((await redis.zrange(hookKeys(hook).dead, '0', '0'))[0]);
    const before = Date.now();
    await createDeadLetters({ redis }).retry(hook, id);

    expect((await actual()).waitingSince[hook]).toBeGreaterThanOrEqual(before);
    expect(accepted).toBe(Math.floor(Number(id) / 1000));
  });

  it('is forgotten of a hook whose list is gone, when it is processed', async () => {
    const { accept, finish } = createStores();
    const [hook = ''] = HOOKS;
    await accept(hook);
    await redis.del(hookKeys(hook).waiting);

    await finish(hook, false);

    expect((await actual()).waitingSince).toEqual({});
  });

  it('is forgotten of a hook whose list was set aside with nothing to rebuild it from', async () => {
    const { accept } = createStores();
    const [hook = ''] = HOOKS;
    const keys = hookKeys(hook);
    await accept(hook);
    await redis.del(keys.executions);
    await redis.set(keys.waiting, 'no list');

    const told: unknown[] = [];
    const repair = createKeyRepair({ redis, told: (key) => told.push(key) });
    await repair.hook(hook, () => redis.llen(keys.waiting));

    expect(told).toHaveLength(1);
    expect((await actual()).waitingSince).toEqual({});
  });

  it('costs one member of a set for each hook, however many deliveries wait', async () => {
    const { accept } = createStores();
    const [hook = ''] = HOOKS;
    for (let i = 0; i < 20; i++) await accept(hook);
    expect(await redis.zcard(KEYS.waitingSince)).toBe(1);
  });
});
