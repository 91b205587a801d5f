import { hookKeys } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { Task } from '@cds/wire';
import type { RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import {
  apiKnows,
  startTarget,
  type Target,
  webhookRun,
  workflowRun,
} from '../../../test/outgoing';
import { MAX_NOT_YET, notYetPauseMs } from './not-yet';

const FOREVER = 3_600_000;

/** KEYS a hash · ARGV field, the value that it must have, another one */
const REPLACE = `
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end`;

describe('an outgoing hook that the API posts before it commits', () => {
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

  const post = async (run: object) => (await hooks.call('POST', '/task/execute', run)).body as Task;
  const asksFor = (end: string) => context.api.calls.filter(({ url }) => url.endsWith(end)).length;

  it.each([
    ['webhook', () => webhookRun(target)],
    ['workflow', () => workflowRun()],
  ])('is executed when the %s is there, without a try that counts', async (_, runOf) => {
    const run = runOf();
    const before = asksFor('/runs/2');
    apiKnows(context, run, { commitMs: FOREVER });
    const { uuid } = await post(run);
    await waitFor(() => asksFor('/runs/2') >= before + 3, { what: 'the API to be asked again' });
    expect(context.api.callbacks).toEqual([]);

    apiKnows(context, run, { commitMs: 0 });
    await waitFor(() => context.api.callbacks.length === 1, { what: 'the callback' });
    await waitFor(async () => (await hooks.executions(uuid))[0]?.status === 'DONE');
    expect((await hooks.executions(uuid))[0]).toMatchObject({ nb_errors: 0 });
  });

  it('is asked for again when the run waits already and the hook is not shown, or its details', async () => {
    const first = webhookRun(target);
    apiKnows(context, first, { commitMs: 0 });
    const run = webhookRun(target);
    apiKnows(context, run, { commitMs: FOREVER });
    let details = 0;
    context.api.behave = ({ url }) => {
      if (!url.endsWith('/details')) return 'ok';
      details++;
      return { refuse: 404, id: 38 };
    };
    await post(run);
    const asked = asksFor('/runs/2');
    await waitFor(() => asksFor('/runs/2') > asked + 1);
    apiKnows(context, run, { commitMs: 0 });
    await waitFor(() => details > 1, { what: 'the details to be asked for again' });
    expect(context.api.callbacks).toEqual([]);
    context.api.behave = () => 'ok';
    await waitFor(() => context.api.callbacks.length === 1, { what: 'the callback' });
    expect(context.api.callbacks[0]?.callback.status).toBe('Success');
  });

  it('is given a minute; then a hook that the API does not know fails', async () => {
    const pauses = Array.from({ length: MAX_NOT_YET }, (_, times) => notYetPauseMs(times));
    expect(pauses.reduce((sum, pause) => sum + pause)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);

    const run = webhookRun(target, {}, { num: 7 });
    apiKnows(context, run, { commitMs: FOREVER });
    const { uuid } = await post(run);
    // Not of the timestamp: a number of JavaScript does not hold its last digits.
    const id = (await context.redisClient.lindex(hookKeys(uuid).waiting, 0)) ?? '';
    // As if it had been asked for so often; again where the service has just written its own count.
    await waitFor(async () => {
      const state = await context.redisClient.hget(hookKeys(uuid).states, id);
      if (state?.includes('"status":"DONE"')) return true;
      const late = state?.replace(/"not_yet":\d+/, `"not_yet":${MAX_NOT_YET}`);
      // Not over what the service has written since.
      if (late && late !== state)
        await context.redisClient.eval(REPLACE, 1, hookKeys(uuid).states, id, state ?? '', late);
      return false;
    });
    expect((await hooks.executions(uuid))[0]?.last_error).toContain('"Pending"');
  });
});
