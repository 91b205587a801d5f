import { waitFor } from '@cds/testing';
import type { Task } from '@cds/wire';
import { allDone } from '../../test/deliveries';
import { plainHook, post, startWorld, type World } from '../../test/harness';
import { apiKnows, startTarget, webhookRun } from '../../test/outgoing';
import { stackOf, unexpectedSentence } from './unexpected-error';

const BODY = '{"poison":"s3cret"}';
const { fromEntries } = Object;
const { stringify } = JSON;

describe('a mistake of the service at one execution', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  beforeEach(() => world.reset());
  afterEach(() => {
    jest.restoreAllMocks();
    expect(world.api.violations).toEqual([]);
  });
  afterAll(() => world.end());

  it('is counted as a try, and after three of them a dead letter: what comes next goes on', async () => {
    const intake = await world.start({ disable: true });
    const hook = plainHook();
    await post(intake, hook);
    const headers = { 'Content-Type': 'application/json' };
    expect((await intake.webhook(hook.uuid, { body: BODY, headers })).ok).toBe(true);
    expect((await intake.webhook(hook.uuid, { body: '{"sound":1}', headers })).ok).toBe(true);

    let tries = 0;
    jest.spyOn(Object, 'fromEntries').mockImplementation((entries) => {
      const all = [...(entries as Iterable<[string, string]>)];
      if (!all.some(([name]) => name === 'poison')) return fromEntries(all);
      tries += 1;
      throw new RangeError('s3cret');
    });
    const worker = await world.start();
    await allDone(worker, hook);
    expect(tries).toBe(3);
    const [after, dead] = await worker.executions(hook.uuid);
    expect(dead).toMatchObject({
      status: 'DONE',
      nb_errors: 3,
      last_error: unexpectedSentence(new RangeError()),
    });
    expect(dead?.last_error).toContain('RangeError');
    expect(after).toMatchObject({ status: 'DONE', nb_errors: 0 });
    expect((await worker.call('GET', '/admin/dead-letters')).body).toMatchObject([
      { uuid: hook.uuid, last_error: expect.stringContaining('report it') as string },
    ]);
    expect(world.api.runs()).toHaveLength(1);
  });

  it('is told to CDS where CDS waits for an outgoing hook', async () => {
    const target = await startTarget();
    const worker = await world.start();
    const run = webhookRun(target, { payload: BODY });
    apiKnows(world, run, { commitMs: 0 });
    let tries = 0;
    // How large the request is, is found out in this thread.
    jest.spyOn(JSON, 'stringify').mockImplementation((value: unknown, ...rest) => {
      const { request_url } = (value ?? {}) as { request_url?: unknown };
      if (request_url !== `${target.url}/out`) return stringify(value, ...(rest as []));
      tries += 1;
      throw new RangeError('s3cret');
    });
    const { uuid } = (await worker.call('POST', '/task/execute', run)).body as Task;
    await waitFor(() => world.api.callbacks.length === 1, { what: 'the callback' });
    expect(tries).toBe(3);
    const log = unexpectedSentence(new RangeError());
    expect(world.api.callbacks[0]?.callback).toMatchObject({ status: 'Fail', log });
    expect((await worker.executions(uuid))[0]?.last_error).toBe(log);
    expect(target.received).toEqual([]);
    target.stop();
  });

  it('is shown by where it was, and not by what it says', () => {
    const error = new RangeError('s3cret\n    at the next s3cret');
    expect(stackOf(error)).toMatch(/^ {4}at .*unexpected-error\.spec/);
    expect(stackOf(error)).not.toContain('s3cret');
    expect(unexpectedSentence(error)).not.toContain('s3cret');
    expect(stackOf('s3cret')).not.toContain('s3cret');
    expect(unexpectedSentence('s3cret')).not.toContain('s3cret');
  });
});
