import { createRouter } from '@cds/service';
import { anyText, fuzzRuns, growth, hostileBytes, hostileJson, LINEAR } from '@cds/testing';
import { isCdsError, type Task } from '@cds/wire';
import type { Request } from 'express';
import fc from 'fast-check';
import type * as z from 'zod';
import { expectCleanPrototypes, fill } from '../../test/hostile';
import {
  answeredHook,
  nodeHookSchema,
  nodeHooksSchema,
  taskOfHook,
  uuidsSchema,
} from './node-hook';
import { parseTaskSort, sortQuery, taskOrder } from './sort-tasks';
import { isTaskUuid } from '@cds/hooks-store';

afterEach(expectCleanPrototypes);

const UUID = '2f7c8f1e-0d5a-4a5b-9b62-6d1d5a6f0a11';
const value = { value: 'x', configurable: true, type: 'string', multiple_choice_list: null };
const HOOK = {
  id: 0,
  uuid: UUID,
  hook_model_name: 'RepositoryWebHook',
  config: { method: value, project: value, workflow: value, repoFullName: value },
};

/** As the routes read a body: a value, or a refusal of the sender that is to the point. */
function read<T>(body: Buffer, schema: z.ZodType<T>): T | undefined {
  let value: T | undefined;
  try {
    createRouter().post('/', { summary: 'Reads', body: schema, answer: 'nothing' }, (input) => {
      value = input.body({ body } as Request);
      return () => undefined;
    });
  } catch (error) {
    if (!isCdsError(error)) throw error;
    expect(error.status).toBe(400);
  }
  return value;
}

describe('the body of a hook', () => {
  it('that is nearly one becomes a task or is refused', () => {
    fc.assert(
      fc.property(hostileBytes(fc, hostileJson(fc, HOOK)), (body) => {
        const hook = read(body, nodeHookSchema);
        if (!hook) return;
        expect(isTaskUuid(hook.uuid)).toBe(true);
        expect(Object.getPrototypeOf(hook)).toBe(Object.prototype);
        try {
          const task = taskOfHook(hook, 'https://hooks.example/');
          expect(task.config?.['webHookURL']?.value).toBe(
            `https://hooks.example/webhook/${hook.uuid}`,
          );
          expect(typeof task.method).toBe('string');
          expect(() => JSON.stringify(answeredHook(hook, task))).not.toThrow();
        } catch (error) {
          if (!isCdsError(error)) throw error;
          expect(error.status).toBe(400);
          expect(JSON.stringify(error.toBody()).length).toBeLessThan(1_000);
        }
      }),
      fuzzRuns(250),
    );
  });

  it('that holds many is one by one under its uuid, or refused', () => {
    const bulk = { [UUID]: HOOK, 'a+b=': { ...HOOK, uuid: 'a+b=' } };
    fc.assert(
      fc.property(hostileBytes(fc, hostileJson(fc, bulk)), (body) => {
        const hooks = read(body, nodeHooksSchema);
        for (const uuid of Object.keys(hooks ?? {})) expect(isTaskUuid(uuid)).toBe(true);
        for (const uuid of Object.keys(read(body, uuidsSchema) ?? {}))
          expect(isTaskUuid(uuid)).toBe(true);
      }),
      fuzzRuns(250),
    );
  });

  it.each(['toString', '__proto__', 'constructor', 'hasOwnProperty', ''])(
    'of the model %j is refused: names that objects inherit are no models',
    (name) => {
      const hook = nodeHookSchema.parse({ ...HOOK, hook_model_name: name });
      expect(() => taskOfHook(hook, 'https://h')).toThrow('unknown hook_model_name');
    },
  );

  it('of thousands of hooks, of keys or of levels takes as long as it is long', () => {
    const hooks = (n: number) =>
      Buffer.from(
        JSON.stringify(
          Object.fromEntries(
            Array.from({ length: n }, (_, index) => [`u${index}`, { ...HOOK, uuid: `u${index}` }]),
          ),
        ),
      );
    expect(growth(1_000, hooks, (body) => read(body, nodeHooksSchema))).toBeLessThan(LINEAR);
    const config = (n: number) =>
      Buffer.from(
        `{"uuid":"u","hook_model_name":"x","config":{${Array.from({ length: n }, (_, i) => `"k${i}":{"value":""}`).join()}}}`,
      );
    expect(growth(10_000, config, (body) => read(body, nodeHookSchema))).toBeLessThan(LINEAR);
    const deep = (n: number) => Buffer.from(`{"uuid":"u","config":${fill('{"a":', n)}`);
    expect(growth(250_000, deep, (body) => read(body, nodeHookSchema))).toBeLessThan(LINEAR);
    const levels = (n: number) =>
      `{"uuid":"u","hook_model_name":"x","odd":${fill('[', n)}${fill(']', n)}}`;
    expect(read(Buffer.from(levels(900)), nodeHookSchema)).toMatchObject({ uuid: 'u' });
    // It could be read, but neither kept nor answered.
    expect(read(Buffer.from(levels(1e5)), nodeHookSchema)).toBeUndefined();
  });
});

describe('isTaskUuid', () => {
  it('takes what may stand in a URL, a key of Redis and the id of a job, and nothing else', () => {
    const text = fc.oneof(
      anyText(fc, { maxLength: 200 }),
      fc.uuid(),
      fc.stringMatching(/^[A-Za-z0-9._=+\-:/ ]{0,140}$/),
      fc.constantFrom('__proto__', '', 'a:b', 'a/b', '..', `${UUID}\n`, fill('x', 129)),
    );
    fc.assert(
      fc.property(text, (uuid) => {
        const allowed = [...uuid].every((letter) => /[A-Za-z0-9._=+-]/.test(letter));
        expect(isTaskUuid(uuid)).toBe(allowed && uuid.length > 0 && uuid.length <= 128);
      }),
      fuzzRuns(500),
    );
    expect(growth(250_000, (n) => fill('x', n), isTaskUuid)).toBeLessThan(LINEAR);
  });
});

describe('sort', () => {
  const part = fc.oneof(
    fc.constantFrom(
      ...['nb_executions_total', 'nb_executions_todo:desc', 'nb_executions_total:asc'],
      ...['', ':', '__proto__', 'nb_executions_todo:up', 'toString:asc', ' nb_executions_todo '],
    ),
    anyText(fc),
  );
  const text = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(','));

  it('is understood or refused, whatever is given', () => {
    const given = fc.oneof(text, fc.array(text), fc.constant(undefined));
    fc.assert(
      fc.property(given, (sort) => {
        try {
          const sorts = parseTaskSort(sortQuery.parse({ sort }).sort);
          expect(sorts.length).toBeLessThanOrEqual(2);
        } catch (error) {
          expect(isCdsError(error) && error.status).toBe(400);
        }
      }),
      fuzzRuns(500),
    );
  });

  it('is by the first of several keys, each of which counts once', () => {
    const tasks = [1, 2, 3, 4].map((n) => ({
      uuid: String(n),
      nb_executions_total: n % 2,
      nb_executions_todo: n,
    })) as Task[];
    const order = (sort: string) =>
      tasks.toSorted(taskOrder(parseTaskSort(sort))).map(({ uuid }) => Number(uuid));
    expect(order('nb_executions_total:desc,nb_executions_todo:desc')).toEqual([3, 1, 4, 2]);
    expect(order('nb_executions_todo:desc,nb_executions_total')).toEqual([4, 3, 2, 1]);
    expect(order('nb_executions_total,nb_executions_total:desc')).toEqual([2, 4, 1, 3]);
  });

  it('takes no longer for the same key again and again', () => {
    const tasks = Array.from({ length: 2_000 }, (_, index) => ({
      uuid: String(index),
      nb_executions_total: 0,
      nb_executions_todo: 0,
    })) as Task[];
    const make = (n: number) => fill('nb_executions_total,', n) + 'nb_executions_todo';
    const run = (sort: string) => tasks.toSorted(taskOrder(parseTaskSort(sort)));
    expect(growth(250_000, make, run)).toBeLessThan(LINEAR);
    expect(parseTaskSort(make(250_000))).toHaveLength(2);
  });
});
