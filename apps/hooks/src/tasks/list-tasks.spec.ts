import { createTaskStore, createCleanupStore } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { startTestRedis, type TestRedis } from '@cds/testing';
import type { Task } from '@cds/wire';
import { Redis } from 'ioredis';
import { createListTasks } from './list-tasks';
import { parseTaskSort } from './sort-tasks';

/** More than are read in one go. */
const TASKS = 250;

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.port, server.host);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await server.flush();
  const tasks = createTaskStore({ redis });
  await Promise.all(
    Array.from({ length: TASKS }, async (_, n) => {
      const uuid = `hook-${n}`;
      await tasks.put({ uuid, type: 'RepoWebHook', method: 'POST', config: null }, 1);
      // 0, 1 or 2 wait, and every other has history.
      for (let id = 0; id < n % 3; id += 1) await redis.rpush(hookKeys(uuid).waiting, id);
      if (n % 2 === 1) await redis.zadd(hookKeys(uuid).done, 9, '9');
    }),
  );
});

const cleanup = 'c'.repeat(64);

async function list(sort = '', between?: () => Promise<unknown>): Promise<Task[]> {
  const tasks = createTaskStore({ redis });
  const cleanups = createCleanupStore({ redis, deadLetters: 1 });
  const listTasks = createListTasks({ tasks, cleanups });
  const listed: Task[] = [];
  for await (const some of listTasks(parseTaskSort(sort))) {
    if (listed.length === 0) await between?.();
    listed.push(...some);
  }
  return listed;
}

describe('the list of all tasks', () => {
  it('is sorted by uuid, with the cleanups behind', async () => {
    await redis.hset(`cdsbb:hooks:cleanup:${cleanup}`, {
      status: 'scheduled',
      due: '5',
      accepted: '1',
    });
    await redis.zadd(KEYS.cleanups, 5, cleanup);
    const uuids = Array.from({ length: TASKS }, (_, n) => `hook-${n}`).toSorted();
    expect((await list()).map(({ uuid }) => uuid)).toEqual([...uuids, cleanup]);
  });

  it('is sorted by counts, cleanups among the others', async () => {
    await redis.hset(`cdsbb:hooks:cleanup:${cleanup}`, {
      status: 'scheduled',
      due: '5',
      accepted: '1',
    });
    await redis.zadd(KEYS.cleanups, 5, cleanup);
    const plain = await list();
    const sorted = await list('nb_executions_todo:desc,nb_executions_total');
    const expected = plain.toSorted(
      (a, b) =>
        b.nb_executions_todo - a.nb_executions_todo ||
        a.nb_executions_total - b.nb_executions_total,
    );
    expect(sorted).toEqual(expected);
    expect(sorted.at(0)).toMatchObject({ nb_executions_todo: 2, nb_executions_total: 2 });
    expect(sorted.findIndex(({ uuid }) => uuid === cleanup)).toBeGreaterThan(0);
  });

  it('stays sorted although counts change while it is listed, and leaves out what is gone', async () => {
    const sorted = await list('nb_executions_todo', async () => {
      await redis.del(hookKeys('hook-248').task);
      await redis.rpush(hookKeys('hook-247').waiting, ...Array(50).keys());
    });
    const counts = sorted.map(({ nb_executions_todo }) => nb_executions_todo);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(sorted).toHaveLength(TASKS - 1);
  });

  it('is empty where there are none', async () => {
    await server.flush();
    expect(await list()).toEqual([]);
    expect(await list('nb_executions_total')).toEqual([]);
  });
});
