import { captureLogger, waitFor } from '@cds/testing';
import { VCS } from '../../test/cds-api-stand-in';
import { push, refsOf } from '../../test/deliveries';
import { repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext, type TestContext } from '../../test/test-context';

describe('runs after a start', () => {
  const context = useTestContext();

  const hook = repositoryHook();

  /** A service that was restarted while deliveries waited for it. */
  async function restarted(vcsMs?: number, more: { heartbeatMs?: number } = {}) {
    const before = await context.start({ disable: true });
    await post(before, hook);
    for (const branch of ['a', 'b']) await push(before, hook, { push: branch });
    await before.service.stop(3_000);
    context.api.vcsLooks = 0;
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger, timing: { vcsMs, ...more } });
    return { hooks, messages: () => lines.map(({ msg }) => msg) };
  }

  it.each<[string, TestContext['api']['vcs']]>([
    ['has registered', {}],
    ['answers the API', 'away'],
    ['knows the API', 'refuses'],
  ])('wait until vcs %s', async (_, before) => {
    context.api.vcs = before;
    await restarted(600_000);
    await waitFor(() => context.api.vcsLooks >= 3);
    expect(refsOf(context)).toEqual([]);
    context.api.vcs = VCS;
    await waitFor(() => refsOf(context).length === 2);
    expect(refsOf(context)).toEqual(['a', 'b']);
  });

  it('go on without vcs after a while, with a warning, and wait no second time', async () => {
    context.api.vcs = {};
    const { hooks, messages } = await restarted(600);
    await waitFor(() => refsOf(context).length === 2);
    const warning = 'runs are asked for without vcs: the API reaches none, and may fail them';
    expect(messages().filter((msg) => msg === warning)).toHaveLength(1);
    const looks = context.api.vcsLooks;
    failOnce();
    await push(hooks, hook, { push: 'c' });
    await waitFor(() => refsOf(context).length === 3);
    expect(context.api.vcsLooks).toBe(looks);
  });

  it('register once, not at each look, where vcs refuses the API', async () => {
    context.api.vcs = 'refuses';
    const { messages } = await restarted(600_000, { heartbeatMs: 600_000 });
    await waitFor(() => context.api.vcsLooks >= 1);
    const before = context.api.registrations.length;
    await waitFor(() => context.api.vcsLooks >= 6);
    expect(context.api.registrations.length - before).toBeLessThanOrEqual(1);
    expect(messages()).toContain('runs wait for vcs: the API reaches none yet');
    expect(refsOf(context)).toEqual([]);
    context.api.vcs = VCS;
    await waitFor(() => refsOf(context).length === 2);
  });

  it('go on after a while where vcs refuses the API, and look no second time', async () => {
    context.api.vcs = 'refuses';
    const { hooks } = await restarted(600);
    await waitFor(() => refsOf(context).length === 2);
    const looks = context.api.vcsLooks;
    for (const branch of ['c', 'd']) await push(hooks, hook, { push: branch });
    await waitFor(() => refsOf(context).length === 4);
    expect(context.api.vcsLooks).toBe(looks);
  });

  it('wait for vcs, too, when the API forgot this service', async () => {
    const { hooks } = await restarted();
    await waitFor(() => refsOf(context).length === 2);
    failOnce(() => {
      context.api.vcs = {};
      context.api.forgetHash();
    });
    await push(hooks, hook, { push: 'c' });
    const looks = context.api.vcsLooks;
    await waitFor(() => context.api.vcsLooks >= looks + 1);
    context.api.vcs = VCS;
    await waitFor(() => refsOf(context).length === 3);
  });

  it('cost one look, and none as long as the API answers', async () => {
    const { hooks } = await restarted();
    await waitFor(() => refsOf(context).length === 2);
    for (const branch of ['c', 'd', 'e']) await push(hooks, hook, { push: branch });
    await waitFor(() => refsOf(context).length === 5);
    expect(context.api.vcsLooks).toBe(1);
  });

  it('wait again when the API was away: vcs may have been restarted with it', async () => {
    const { hooks } = await restarted(600_000);
    await waitFor(() => refsOf(context).length === 2);
    failOnce(() => (context.api.vcs = {}));
    await push(hooks, hook, { push: 'c' });
    const looks = context.api.vcsLooks;
    await waitFor(() => context.api.vcsLooks >= looks + 3);
    expect(refsOf(context)).toEqual(['a', 'b']);
    context.api.vcs = VCS;
    await waitFor(() => refsOf(context).length === 3);
  });

  it('do not keep the service from stopping', async () => {
    context.api.vcs = {};
    const { hooks } = await restarted(600_000);
    await waitFor(() => context.api.vcsLooks >= 1);
    await hooks.service.stop(5_000);
    expect(refsOf(context)).toEqual([]);
    context.api.vcs = VCS;
    await context.start();
    await waitFor(() => refsOf(context).length === 2);
  });

  /** A proxy answers for the API to the next run. */
  function failOnce(then: () => void = () => undefined): void {
    let failed = false;
    context.api.behave = ({ url }) => {
      if (failed || !url.endsWith('/runs')) return 'ok';
      failed = true;
      then();
      return { html: 502 };
    };
  }
});
