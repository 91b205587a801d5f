import { captureLogger, waitFor } from '@cds/testing';
import type { Task } from '@cds/wire';
import { allDone, push, refsOf } from '../../test/deliveries';
import { plainHook, repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { apiKnows, startTarget, webhookRun } from '../../test/outgoing';
import { stackOf, unexpectedSentence } from './unexpected-error';

const BODY = '{"poison":"s3cret"}';
const { fromEntries } = Object;
const { stringify } = JSON;

describe('a mistake of the service at one execution', () => {
  const context = useTestContext();
  afterEach(() => jest.restoreAllMocks());

  it('is counted as a try, and after three of them a dead letter: what comes next goes on', async () => {
    const intake = await context.start({ disable: true });
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
    const worker = await context.start();
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
    expect(context.api.runs()).toHaveLength(1);
  });

  it('is told to CDS where CDS waits for an outgoing hook', async () => {
    const target = await startTarget();
    const worker = await context.start();
    const run = webhookRun(target, { payload: BODY });
    apiKnows(context, run, { commitMs: 0 });
    let tries = 0;
    // How large the request is, is found out in this thread.
    jest.spyOn(JSON, 'stringify').mockImplementation((value: unknown, ...rest) => {
      const { request_url } = (value ?? {}) as { request_url?: unknown };
      if (request_url !== `${target.url}/out`) return stringify(value, ...(rest as []));
      tries += 1;
      throw new RangeError('s3cret');
    });
    const { uuid } = (await worker.call('POST', '/task/execute', run)).body as Task;
    await waitFor(() => context.api.callbacks.length === 1, { what: 'the callback' });
    expect(tries).toBe(3);
    const log = unexpectedSentence(new RangeError());
    expect(context.api.callbacks[0]?.callback).toMatchObject({ status: 'Fail', log });
    expect((await worker.executions(uuid))[0]?.last_error).toBe(log);
    expect(target.received).toEqual([]);
    target.stop();
  });

  it('while a run is asked for is counted, for that run alone, and is no outage of the API', async () => {
    const { logger, lines } = captureLogger();
    const worker = await context.start({}, { logger });
    const [hook, other] = [repositoryHook(), repositoryHook({ workflow: 'wf3' })];
    await post(worker, hook, other);
    let tries = 0;
    jest.spyOn(JSON, 'stringify').mockImplementation((value: unknown, ...rest) => {
      const { hook: event } = (value ?? {}) as { hook?: { payload?: Record<string, unknown> } };
      if (event?.payload?.['git.branch'] !== 'poison') return stringify(value, ...(rest as []));
      tries += 1;
      throw new RangeError('s3cret');
    });
    await push(worker, hook, { push: 'a' }, { push: 'poison' }, { push: 'b' });
    await push(worker, hook, { push: 'c' });
    await push(worker, other, { push: 'd' });
    for (const each of [hook, other]) await allDone(worker, each);

    expect(tries).toBe(3);
    const [after, dead] = await worker.executions(hook.uuid);
    const last_error = unexpectedSentence(new RangeError());
    expect(dead).toMatchObject({ status: 'DONE', nb_errors: 3, last_error });
    expect(after).toMatchObject({ status: 'DONE', nb_errors: 0 });
    expect(refsOf(context, hook)).toEqual(['a', 'b', 'c']);
    expect(refsOf(context, other)).toEqual(['d']);
    expect(lines.filter(({ msg }) => /bug in hooks/.test(String(msg)))).toHaveLength(3);
    expect(lines.filter(({ msg }) => /broke off/.test(String(msg)))).toEqual([]);
    expect(stringify(lines)).not.toContain('s3cret');
    jest.restoreAllMocks();

    expect((await worker.call('POST', '/admin/dead-letters/retry')).status).toBe(200);
    await waitFor(() => refsOf(context, hook).includes('poison'), { what: 'the run of the retry' });
    expect(refsOf(context, hook)).toEqual(['a', 'b', 'c', 'poison']);
  });

  it('beside a call is counted, too, and repeats no run of the same delivery', async () => {
    const worker = await context.start();
    const hook = repositoryHook();
    await post(worker, hook);
    let tries = 0;
    // What a cleanup is known by is made of its names.
    jest.spyOn(JSON, 'stringify').mockImplementation((value: unknown, ...rest) => {
      if (!Array.isArray(value) || value.at(-1) !== 'poison')
        return stringify(value, ...(rest as []));
      tries += 1;
      throw new RangeError('s3cret');
    });
    await push(worker, hook, { push: 'a' }, { deleted: 'poison' });
    await push(worker, hook, { push: 'b' });
    await allDone(worker, hook);
    expect(tries).toBe(3);
    const [, dead] = await worker.executions(hook.uuid);
    const last_error = unexpectedSentence(new RangeError());
    expect(dead).toMatchObject({ status: 'DONE', nb_errors: 3, last_error });
    expect(refsOf(context, hook)).toEqual(['a', 'b']);
  });

  it('while runs are removed is counted, too', async () => {
    const worker = await context.start({ branchDeletion: { delaySeconds: 0 } });
    const hook = repositoryHook();
    await post(worker, hook);
    const encode = encodeURIComponent;
    let tries = 0;
    jest.spyOn(globalThis, 'encodeURIComponent').mockImplementation((text) => {
      if (text !== 'poison') return encode(text);
      tries += 1;
      throw new RangeError('s3cret');
    });
    await push(worker, hook, { deleted: 'poison' }, { deleted: 'sound' });
    await waitFor(() => context.api.deletions().length === 1, { what: 'the other removal' });
    const dead = async () => (await worker.call('GET', '/admin/dead-letters')).body as object[];
    await waitFor(async () => (await dead()).length === 1, { what: 'the dead letter' });
    expect(await dead()).toMatchObject([
      { kind: 'cleanup', branch: 'poison', last_error: unexpectedSentence(new RangeError()) },
    ]);
    expect(tries).toBe(3);
  });

  it('while CDS is told what came of an outgoing hook is counted, too', async () => {
    const target = await startTarget();
    const worker = await context.start();
    const run = webhookRun(target, { payload: '{}' });
    apiKnows(context, run, { commitMs: 0 });
    let tries = 0;
    jest.spyOn(JSON, 'stringify').mockImplementation((value: unknown, ...rest) => {
      // As it is sent; as a part of the state it is kept in Redis.
      const isCallback = 'workflow_node_outgoing_hook_id' in Object(value);
      if (!isCallback) return stringify(value, ...(rest as []));
      tries += 1;
      throw new RangeError('s3cret');
    });
    const { uuid } = (await worker.call('POST', '/task/execute', run)).body as Task;
    const over = async () => (await worker.executions(uuid))[0]?.status === 'DONE';
    await waitFor(over, { what: 'the execution to be given up' });
    expect(tries).toBe(3);
    expect((await worker.executions(uuid))[0]?.last_error).toContain('RangeError');
    expect(target.received).toHaveLength(1);
    target.stop();
  });

  it('is none where the workflow has a name that no URL can carry: that is said, and counted', async () => {
    const worker = await context.start();
    const hook = plainHook({ workflow: '\ud800' });
    await post(worker, hook);
    expect((await worker.webhook(hook.uuid, { query: 'n=1' })).ok).toBe(true);
    await allDone(worker, hook);
    expect((await worker.executions(hook.uuid))[0]).toMatchObject({
      nb_errors: 3,
      last_error: expect.stringContaining('"\\ud800" cannot be part of a URL') as string,
    });
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
