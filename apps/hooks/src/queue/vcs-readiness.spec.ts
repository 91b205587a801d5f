import { captureLogger, waitFor } from '@cds/testing';
import { VCS } from '../../test/cds-api-stand-in';
import { push, refsOf } from '../../test/deliveries';
import { post, repositoryHook, startWorld, type World } from '../../test/harness';

describe('runs after a start', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  beforeEach(() => world.reset());
  afterAll(() => world.end());
  afterEach(() => expect(world.api.violations).toEqual([]));

  const hook = repositoryHook();

  /** A service that was restarted while deliveries waited for it. */
  async function restarted(vcsMs?: number, more: { heartbeatMs?: number } = {}) {
    const before = await world.start({ disable: true });
    await post(before, hook);
    for (const branch of ['a', 'b']) await push(before, hook, { push: branch });
    await before.service.stop(3_000);
    world.api.vcsLooks = 0;
    const { logger, lines } = captureLogger();
    const hooks = await world.start({}, { logger, timing: { vcsMs, ...more } });
    return { hooks, messages: () => lines.map(({ msg }) => msg) };
  }

  it.each<[string, World['api']['vcs']]>([
    ['has registered', {}],
    ['answers the API', 'away'],
    ['knows the API', 'refuses'],
  ])('wait until vcs %s', async (_, before) => {
    world.api.vcs = before;
    await restarted(600_000);
    await waitFor(() => world.api.vcsLooks >= 3);
    expect(refsOf(world)).toEqual([]);
    world.api.vcs = VCS;
    await waitFor(() => refsOf(world).length === 2);
    expect(refsOf(world)).toEqual(['a', 'b']);
  });

  it('go on without vcs after a while, with a warning, and wait no second time', async () => {
    world.api.vcs = {};
    const { hooks, messages } = await restarted(600);
    await waitFor(() => refsOf(world).length === 2);
    const warning = 'runs are asked for without vcs: the API reaches none, and may fail them';
    expect(messages().filter((msg) => msg === warning)).toHaveLength(1);
    const looks = world.api.vcsLooks;
    failOnce();
    await push(hooks, hook, { push: 'c' });
    await waitFor(() => refsOf(world).length === 3);
    expect(world.api.vcsLooks).toBe(looks);
  });

  it('register once, not at each look, where vcs refuses the API', async () => {
    world.api.vcs = 'refuses';
    const { messages } = await restarted(600_000, { heartbeatMs: 600_000 });
    await waitFor(() => world.api.vcsLooks >= 1);
    const before = world.api.registrations.length;
    await waitFor(() => world.api.vcsLooks >= 6);
    expect(world.api.registrations.length - before).toBeLessThanOrEqual(1);
    expect(messages()).toContain('runs wait for vcs: the API reaches none yet');
    expect(refsOf(world)).toEqual([]);
    world.api.vcs = VCS;
    await waitFor(() => refsOf(world).length === 2);
  });

  it('go on after a while where vcs refuses the API, and look no second time', async () => {
    world.api.vcs = 'refuses';
    const { hooks } = await restarted(600);
    await waitFor(() => refsOf(world).length === 2);
    const looks = world.api.vcsLooks;
    for (const branch of ['c', 'd']) await push(hooks, hook, { push: branch });
    await waitFor(() => refsOf(world).length === 4);
    expect(world.api.vcsLooks).toBe(looks);
  });

  it('wait for vcs, too, when the API forgot this service', async () => {
    const { hooks } = await restarted();
    await waitFor(() => refsOf(world).length === 2);
    failOnce(() => {
      world.api.vcs = {};
      world.api.forgetHash();
    });
    await push(hooks, hook, { push: 'c' });
    const looks = world.api.vcsLooks;
    await waitFor(() => world.api.vcsLooks >= looks + 1);
    world.api.vcs = VCS;
    await waitFor(() => refsOf(world).length === 3);
  });

  it('cost one look, and none as long as the API answers', async () => {
    const { hooks } = await restarted();
    await waitFor(() => refsOf(world).length === 2);
    for (const branch of ['c', 'd', 'e']) await push(hooks, hook, { push: branch });
    await waitFor(() => refsOf(world).length === 5);
    expect(world.api.vcsLooks).toBe(1);
  });

  it('wait again when the API was away: vcs may have been restarted with it', async () => {
    const { hooks } = await restarted(600_000);
    await waitFor(() => refsOf(world).length === 2);
    failOnce(() => (world.api.vcs = {}));
    await push(hooks, hook, { push: 'c' });
    const looks = world.api.vcsLooks;
    await waitFor(() => world.api.vcsLooks >= looks + 3);
    expect(refsOf(world)).toEqual(['a', 'b']);
    world.api.vcs = VCS;
    await waitFor(() => refsOf(world).length === 3);
  });

  it('do not keep the service from stopping', async () => {
    world.api.vcs = {};
    const { hooks } = await restarted(600_000);
    await waitFor(() => world.api.vcsLooks >= 1);
    await hooks.service.stop(5_000);
    expect(refsOf(world)).toEqual([]);
    world.api.vcs = VCS;
    await world.start();
    await waitFor(() => refsOf(world).length === 2);
  });

  /** A proxy answers for the API to the next run. */
  function failOnce(then: () => void = () => undefined): void {
    let failed = false;
    world.api.behave = ({ url }) => {
      if (failed || !url.endsWith('/runs')) return 'ok';
      failed = true;
      then();
      return { html: 502 };
    };
  }
});
