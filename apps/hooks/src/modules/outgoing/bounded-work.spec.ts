import { waitFor } from '@cds/testing';
import type { RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { apiKnows, startTarget, type Target, webhookRun } from '../../../test/outgoing';

describe('the work that an outgoing hook may cause', () => {
  const context = useTestContext({ keepBetweenTests: true });
  let target: Target;
  let hooks: RunningHooks;

  beforeAll(async () => {
    target = await startTarget();
    context.onEnd(target.stop);
    hooks = await context.start();
  });
  afterEach(() => {
    context.api.callbacks.length = 0;
    target.received.length = 0;
  });

  /** What CDS is told of a hook with this configuration. */
  async function toldOf(config: Record<string, string>, secrets?: Record<string, string>) {
    const run = webhookRun(target, config);
    apiKnows(context, run, { secrets: secrets ?? {} });
    expect((await hooks.call('POST', '/task/execute', run)).status).toBe(200);
    await waitFor(() => context.api.callbacks.length === 1, { what: 'the callback' });
    return context.api.callbacks[0]?.callback;
  }

  it('ends with an error that says what to do, for expressions of which each is small', async () => {
    const payload = '{{repeat 1000000 "a"|upper|trunc 1}}'.repeat(250);
    expect(await toldOf({ payload })).toMatchObject({
      status: 'Fail',
      log: expect.stringMatching(/^the helpers of the expressions would .*: use fewer helpers/),
    });
    expect(target.received).toEqual([]);
  });

  it('is one for method, URL and body together', async () => {
    const some = '{{repeat 60000 "a"|upper|trunc 1}}';
    const half = (text: string) => some.repeat(23) + text;
    expect(await toldOf({ URL: `${target.url}/${half('')}` })).toMatchObject({ status: 'Success' });
    context.api.callbacks.length = 0;
    expect(
      await toldOf({ URL: `${target.url}/${half('')}`, payload: half('').repeat(2) }),
    ).toMatchObject({ status: 'Fail', log: expect.stringContaining('use fewer helpers') });
  });

  it('keeps those of no other project waiting behind all of one', async () => {
    // Too much for the event loop.
    const payload = '{{repeat 200000 "a"|upper|trunc 1}}'.repeat(3);
    const execute = async (project: string, path: string): Promise<void> => {
      const run = webhookRun(target, { project, payload, URL: `${target.url}/${path}` });
      apiKnows(context, run, { commitMs: 0 });
      expect((await hooks.call('POST', '/task/execute', run)).status).toBe(200);
    };
    const paths = () => target.received.map(({ url }) => url);
    for (let i = 0; i < 10; i += 1) await execute('BUSY', `busy${i}`);
    await waitFor(() => paths().length > 0, { what: 'the first of the busy project' });
    await execute('PROJ', 'other');
    await waitFor(() => paths().includes('/other'), { what: 'the other project' });
    expect(paths().length).toBeLessThan(9);
    for (let count = 1; count <= 11; count += 1) {
      await waitFor(() => context.api.callbacks.length >= count, { what: `callback ${count}` });
    }
    for (const { callback } of context.api.callbacks) expect(callback.status).toBe('Success');
  });

  it('shows nothing of a call whose secrets cannot be masked, and tells how the call ended', async () => {
    const secrets = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, i) => [`cds.proj.s${i}`, 'a'.repeat(i)]),
    );
    target.answer = (_, response) => void response.end('a'.repeat(60_000));
    expect(await toldOf({}, secrets)).toMatchObject({
      status: 'Success',
      log: 'What was sent and answered is not shown, since its secrets cannot be masked: the secrets of the run are too long.',
    });
    expect(target.received).toHaveLength(1);
  });
});
