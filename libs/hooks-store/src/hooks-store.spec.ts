import { startTestRedis, type TestRedis } from '@cds/testing';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import {
  createDeadLetters,
  createImport,
  createReplay,
  createResetSignature,
  createTaskStore,
  idOfTimestamp,
  NEW_STATE,
  parseState,
  readExecution,
  timestampOfId,
} from './index';
import { cleanupKey, hookKeys, KEYS } from './keys';
import { stateOfRetry } from './execution';
import { readWithBody, writeExecution } from './stored-execution-text';

const BASE = 1_763_841_600_000_000;

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

const idAt = (offset: number) => String(BASE + offset);

async function deadLetter(uuid: string, id: string, state: object = {}): Promise<void> {
  const keys = hookKeys(uuid);
  const webhook = { request_url: '', request_body: '', request_header: {}, request_method: '' };
  const stored = { timestamp: timestampOfId(id), type: 'Webhook', config: null, webhook };
  await redis
    .multi()
    .hset(keys.task, { type: 'Webhook', config: 'null', stopped: '0' })
    .hset(keys.executions, id, JSON.stringify({ ...stored, accepted_at: 1 }))
    .hset(keys.states, id, JSON.stringify({ ...NEW_STATE, status: 'DONE', failed: true, ...state }))
    .zadd(keys.dead, id, id)
    .zadd(KEYS.failed, id, `${uuid}/${id}`)
    .exec();
}

async function failedCleanup(name: string, accepted: string, hook: string): Promise<string> {
  const id = name.padEnd(64, '0');
  await redis.hset(cleanupKey(id), { status: 'failed', due: '5', accepted, hook, processed: '9' });
  await redis.zadd(KEYS.failedCleanups, 9, id);
  return id;
}

describe('ids and timestamps', () => {
  it('are the same thing, and nothing else is', () => {
    fc.assert(
      // Beyond 2^62 ns, in the year 2116, neighbouring ids share a double.
      fc.property(fc.integer({ min: 1, max: Math.floor(2 ** 62 / 1000) }), (id) => {
        expect(idOfTimestamp(JSON.stringify(timestampOfId(id)))).toBe(String(id));
      }),
    );
    for (const text of ['', '0', '000', '1', '1e3', '01000', '-1000', ' 1000', '1000.0', '1001']) {
      expect(idOfTimestamp(text)).toBeUndefined();
    }
  });
});

describe('the state of a dead letter that is sent again', () => {
  it('holds what failed, also when it could not even be read the next time', () => {
    const failed = parseState(
      JSON.stringify({
        ...NEW_STATE,
        failed: true,
        failed_steps: [1, 3],
        nb_errors: 6,
        refusals: 2,
      }),
    );
    const again = stateOfRetry({ ...failed, workflow_run: 7 }, 5);
    expect(again).toEqual({
      ...NEW_STATE,
      ...{ workflow_run: 7, retry_steps: [1, 3], retries: 1, queued_at: 5 },
    });
    expect(stateOfRetry({ ...again, failed: true }, 6)).toMatchObject({
      retry_steps: [1, 3],
      retries: 2,
    });
    expect(stateOfRetry({ ...again, failed_steps: [3] }, 6).retry_steps).toEqual([3]);
    expect(stateOfRetry(parseState('{"failed":true}'), 6).retry_steps).toEqual([]);
  });
});

describe('the list of dead letters', () => {
  it('has every one on exactly one page, executions and cleanups together', async () => {
    const ids: number[] = [];
    for (let i = 0; i < 30; i++) {
      // Some of the cleanups are older than all executions, some newer.
      if (i % 3 === 0) await failedCleanup(`c${i}`, idAt((i * 7) % 30), 'hook-1');
      else await deadLetter(`hook-${i % 2}`, idAt((i * 7) % 30));
      ids.push(timestampOfId(idAt((i * 7) % 30)));
    }
    const { list, count } = createDeadLetters({ redis });
    const newestFirst = ids.sort((a, b) => b - a);

    for (let limit = 1; limit <= 31; limit += 3) {
      const pages: number[] = [];
      for (let offset = 0; offset < 40; offset += limit) {
        const page = await list({ offset, limit });
        expect(page.length).toBeLessThanOrEqual(limit);
        pages.push(...page.map(({ timestamp }) => timestamp));
      }
      expect(pages).toEqual(newestFirst);
    }
    expect(await count()).toBe(30);
    const ofOne = await list({ uuid: 'hook-1', offset: 0, limit: 100 });
    expect(await count('hook-1')).toBe(ofOne.length);
    expect(ofOne.filter(({ kind }) => kind === 'cleanup')).toHaveLength(10);
    const cleanup = 'c3'.padEnd(64, '0');
    expect(await list({ uuid: cleanup, offset: 0, limit: 9 })).toMatchObject([{ uuid: cleanup }]);
  });

  it('bears with records that cannot be read', async () => {
    await deadLetter('hook', idAt(1), { processing_timestamp: 1e40, nb_errors: 'x' });
    await redis.hset(hookKeys('hook').task, 'config', '{');
    await redis.hset(hookKeys('hook').states, idAt(2), '{');
    await redis.zadd(KEYS.failed, idAt(2), `hook/${idAt(2)}`, idAt(3), `gone/${idAt(3)}`);
    await redis.hset(cleanupKey('f'.repeat(64)), { accepted: 'never' });
    await redis.zadd(KEYS.failedCleanups, 1, 'f'.repeat(64));

    expect(await createDeadLetters({ redis }).list({ offset: 0, limit: 9 })).toMatchObject([
      { timestamp: timestampOfId(idAt(2)), failed_at: '', last_error: '' },
      { timestamp: timestampOfId(idAt(1)), failed_at: '', nb_errors: 0, project: '' },
    ]);
  });
});

describe('moving dead letters', () => {
  it('sends each again once, whoever asks at the same time', async () => {
    await deadLetter('hook', idAt(1));
    const { retry } = createDeadLetters({ redis });

    const results = await Promise.all(Array.from({ length: 20 }, () => retry('hook', idAt(1))));

    expect(results.filter((result) => result === 'ok')).toHaveLength(1);
    expect(results.filter((result) => result === 'not-dead')).toHaveLength(19);
    expect(await redis.lrange(hookKeys('hook').waiting, 0, -1)).toEqual([idAt(1)]);
    expect(await redis.get(KEYS.waitingTotal)).toBe('1');
  });

  it('sends all again in their order, also those of many hooks on the same microsecond', async () => {
    const hooks = Array.from({ length: 450 }, (_, index) => `hook-${index}`);
    for (const uuid of hooks) {
      await deadLetter(uuid, idAt(2));
      await deadLetter(uuid, idAt(1));
    }
    const told: number[] = [];
    const { retryAll, count } = createDeadLetters({ redis });

    expect(
      await retryAll({ until: Date.now() + 60_000, moved: (refs) => told.push(refs.length) }),
    ).toEqual({ executions: 900, cleanups: 0, more: false });

    expect(told.reduce((sum, length) => sum + length, 0)).toBe(900);
    expect(await count()).toBe(0);
    for (const uuid of hooks) {
      expect(await redis.lrange(hookKeys(uuid).waiting, 0, -1)).toEqual([idAt(1), idAt(2)]);
    }
    expect(await redis.get(KEYS.waitingTotal)).toBe('900');
    expect(await redis.scard(KEYS.pending)).toBe(450);
  });

  it('stops when its time is up, and says that there is more', async () => {
    await deadLetter('hook', idAt(1));
    const { dropAll } = createDeadLetters({ redis });

    expect(await dropAll({ until: Date.now() })).toEqual({
      executions: 0,
      cleanups: 0,
      more: true,
    });
    expect(await dropAll({ until: Date.now() + 5_000 })).toMatchObject({ executions: 1 });
    expect(await redis.keys('*')).toEqual([hookKeys('hook').task]);
  });

  it('leaves a dead letter where the counter of what waits holds no number', async () => {
    await deadLetter('hook', idAt(1));
    await redis.set(KEYS.waitingTotal, 'many');
    const { retry } = createDeadLetters({ redis });

    await expect(retry('hook', idAt(1))).rejects.toThrow('not an integer');
    await redis.del(KEYS.waitingTotal);

    expect(await retry('hook', idAt(1))).toBe('ok');
    expect(await redis.lrange(hookKeys('hook').waiting, 0, -1)).toEqual([idAt(1)]);
  });

  it('forgets an entry whose execution is gone', async () => {
    await redis.zadd(KEYS.failed, idAt(1), `hook/${idAt(1)}`);
    await redis.zadd(KEYS.failed, idAt(2), `hook/${idAt(2)}`);
    const { retry, drop } = createDeadLetters({ redis });

    expect(await retry('hook', idAt(1))).toBe('unknown');
    expect(await drop('hook', idAt(2))).toBe('unknown');
    expect(await redis.keys('*')).toEqual([]);
  });

  it('leaves a cleanup of another deletion, and one that an operator ended, alone', async () => {
    const id = await failedCleanup('c', idAt(1), 'hook');
    const ended = await failedCleanup('e', idAt(1), 'hook');
    await redis.zadd(KEYS.failedCleanups, -9, ended);
    const { retry, drop, dropAll } = createDeadLetters({ redis });

    expect(await retry(id, idAt(2))).toBe('unknown');
    expect(await drop(id, idAt(2))).toBe('unknown');
    expect(await retry(ended, idAt(1))).toBe('not-dead');
    expect(await retry(id, idAt(1))).toBe('ok');
    expect(await redis.zscore(KEYS.cleanups, id)).toBe('5');
    expect(await retry(id, idAt(1))).toBe('not-dead');
    expect(await dropAll({ until: Date.now() + 5_000 })).toMatchObject({ cleanups: 0 });
    expect(await redis.exists(cleanupKey(ended))).toBe(1);
  });

  it('finds every cleanup by its id, also those whose timestamp cannot be divided exactly', async () => {
    const count = 40;
    for (let i = 0; i < count; i += 1)
      await failedCleanup(`c${i}x`, String(1_790_000_000_000_000 + 1_000 * i), 'h');

    const all = await createDeadLetters({ redis }).retryAll({ until: Date.now() + 5_000 });

    expect(all).toEqual({ executions: 0, cleanups: count, more: false });
    expect(await redis.zcard(KEYS.failedCleanups)).toBe(0);
  });
});

describe('replay', () => {
  it('is one for all who ask within a minute, and another one later', async () => {
    await deadLetter('hook', idAt(1));
    const replay = createReplay({ redis });
    const now = BASE / 1000 + 5;

    const all = await Promise.all(
      Array.from({ length: 10 }, (_, index) => replay('hook', idAt(1), now + index)),
    );
    const [first] = await redis.lrange(hookKeys('hook').waiting, 0, -1);
    expect(all.map((one) => 'id' in one && one.id)).toEqual(all.map(() => first));
    expect(all.filter(({ kind }) => kind === 'ok')).toHaveLength(1);

    // Also when the clock was put back by a day: ids only grow.
    const later = [now + 61_000, now - 86_400_000];
    for (const time of later) {
      expect(await replay('hook', idAt(1), time)).toMatchObject({ kind: 'ok' });
    }
    const ids = (await redis.lrange(hookKeys('hook').waiting, 0, -1)).map(Number);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(ids).toHaveLength(3);
    expect(await replay('hook', String(ids[0]), now)).toEqual({ kind: 'waiting' });
    expect(await replay('hook', idAt(9), now)).toEqual({ kind: 'unknown' });
  });
});

describe('resetting a signature', () => {
  it('tells a task that was not signed from one that is not there', async () => {
    await deadLetter('hook', idAt(1));
    await redis.hset(hookKeys('hook').task, 'signed', '1');
    const reset = createResetSignature({ redis });

    expect([await reset('hook'), await reset('hook'), await reset('none')]).toEqual([
      'ok',
      'unsigned',
      'unknown',
    ]);
  });
});

describe('importing', () => {
  const webhook = { request_url: '', request_body: '', request_header: {}, request_method: '' };
  const delivery = (offset: number, change: object = {}) => ({
    ...{ uuid: 'hook', timestamp: `${idAt(offset)}123`, acceptedUs: BASE + offset, late: false },
    ...{ state: NEW_STATE, requestUuid: '' },
    execution: { type: 'RepoWebHook' as const, config: null, webhook, accepted_at: 1 },
    ...change,
  });
  const task = { uuid: 'hook', type: 'RepoWebHook' as const, method: 'POST', config: null };
  const cleanup = {
    ...{ uuid: 'feat/a-1', timestamp: '1', id: 'a'.repeat(64), due: 7, accepted: idAt(5) },
    ...{ hook: 'hook', project: 'P', workflow: 'w', repository: 'a/b', branch: 'feat/a' },
  };

  it('keeps each delivery once, in order, and what is older than the last as a replay', async () => {
    const into = createImport({ redis });
    expect(await into.delivery(delivery(1))).toBe('unknown');
    expect(await into.task(task, false, 1)).toBe('ok');

    const results = [];
    for (const one of [
      delivery(1),
      delivery(2, { requestUuid: 'r' }),
      delivery(1),
      delivery(3, { requestUuid: 'r' }),
      delivery(3, { requestUuid: 'r' }),
      delivery(0),
      delivery(9, { late: true }),
    ]) {
      results.push(await into.delivery(one));
    }

    expect(results).toEqual(['ok', 'ok', 'known', 'duplicate', 'known', 'late', 'late']);
    const { waiting, executions } = hookKeys('hook');
    const ids = [idAt(1), idAt(2), idAt(3), idAt(9)];
    expect(await redis.lrange(waiting, 0, -1)).toEqual(ids);
    const stored = (await redis.hmget(executions, ...ids)).map((json) => JSON.parse(json ?? ''));
    expect(stored.map(({ timestamp }) => timestamp)).toEqual(ids.map(timestampOfId));
    expect(stored.map(({ replay_of }) => replay_of)).toEqual([
      ...[undefined, undefined],
      ...[timestampOfId(idAt(0)), timestampOfId(idAt(9))],
    ]);
    expect(await redis.get(KEYS.waitingTotal)).toBe('4');
    expect(await redis.smembers(KEYS.pending)).toEqual(['hook']);
  });

  it('keeps a task that is there or was deleted since as it is, but stops it the first time', async () => {
    const tasks = createTaskStore({ redis });
    const into = createImport({ redis });
    await tasks.put({ ...task, method: 'PUT' }, 5);

    expect(await into.task(task, true, 9)).toBe('there');
    expect(await redis.hmget(hookKeys('hook').task, 'method', 'stopped')).toEqual(['PUT', '1']);
    await tasks.setStopped('hook', false);
    expect(await into.task(task, true, 9)).toBe('known');
    expect(await redis.hget(hookKeys('hook').task, 'stopped')).toBe('0');
    await tasks.remove('hook');
    expect(await into.task(task, true, 9)).toBe('known');
    expect(await redis.exists(hookKeys('hook').task)).toBe(0);
  });

  it('waits for a hook that is held, keeps a cleanup once, and none whose branch is back', async () => {
    const into = createImport({ redis });
    const { owner } = hookKeys('hook');
    await redis.set(owner, 'somebody');
    expect(await into.cleanup(cleanup)).toBe('busy');
    await redis.del(owner);

    expect(await into.cleanup(cleanup)).toBe('ok');
    expect(await redis.hgetall(cleanupKey(cleanup.id))).toMatchObject({
      ...{ status: 'waiting', due: '7', accepted: idAt(5), branch: 'feat/a' },
    });
    await redis.zrem(KEYS.cleanups, cleanup.id);
    await redis.del(cleanupKey(cleanup.id));
    expect(await into.cleanup(cleanup)).toBe('known');
    expect(await redis.exists(cleanupKey(cleanup.id))).toBe(0);

    await redis.zadd(KEYS.broughtBack, idAt(6), cleanup.id);
    expect(await into.cleanup({ ...cleanup, uuid: 'feat/a-2' })).toBe('back');
    await into.passOver('feat/a-3', '1');
    expect(await into.cleanup({ ...cleanup, uuid: 'feat/a-3' })).toBe('known');
    expect(await redis.zcard(KEYS.cleanups)).toBe(0);
  });
});

describe('the text of an execution', () => {
  const webhook = {
    request_url: '',
    request_body: '',
    request_header: { 'X-Event-Key': ['repo:push'] },
    request_method: '',
  };
  const content = { timestamp: 1_000, type: 'RepoWebHook' as const, config: null, accepted_at: 1 };

  it.each([
    ['a body of text', Buffer.from('{"a":"ü\\n",\n"b":1}\n')],
    ['a body of bytes that are no text', Buffer.from([0x7b, 0xff, 0x00, 0x0a])],
    ['an empty body', Buffer.alloc(0)],
  ])('keeps %s as it came', (_what, body) => {
    const written = writeExecution({ ...content, webhook }, body);
    expect(readExecution(written.json, written.body)).toEqual({
      ...content,
      webhook: { ...webhook, request_body: body.toString('base64') },
    });
  });

  it('reads a body in the JSON, and what has no request', () => {
    const whole = { ...content, webhook: { ...webhook, request_body: 'e30=' } };
    const json = JSON.stringify(whole);
    expect(readExecution(json, null)).toEqual(whole);
    expect(readWithBody(json, null).body).toEqual(Buffer.from('{}'));
    expect(readExecution(writeExecution(content).json, null)).toEqual(content);
  });

  it('holds a body of text once, and not in base64', () => {
    const body = Buffer.from('x'.repeat(1_000));
    const written = writeExecution({ ...content, webhook }, body);
    expect(written.body).toBe(body.toString());
    expect(written.json.length).toBeLessThan(300);
  });
});
