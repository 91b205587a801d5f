import { readProxySettings } from '@cds/network';
import { silentLogger, startTestProxy, type TestProxy, waitFor } from '@cds/testing';
import type { Task } from '@cds/wire';
import { push } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { hooksConfig, useTestContext } from '../../../test/test-context';
import { apiKnows, startTarget, type Target, webhookRun } from '../../../test/outgoing';
import { createHookQueue } from '../../queue/hook-queue';
import { hookJobId } from '@cds/hooks-store';

const MOST = 100;
const MAX_ONE = 20;
const MORE = 3;
/** Pauses of nearly an hour end when a hook is resumed, and not in this test by themselves. */
const [RETRY_DELAY_SECONDS, LONG_MS] = [3_600, 3_000_000];
const range = (length: number) => Array.from({ length }, (_, i) => i);
/** One server is all hosts: the proxy resolves their names. */
const HOSTS = [...range(6).map((i) => `silent-${i}.test`), 'prompt.test'];

describe('outgoing hooks whose targets do not answer', () => {
  const context = useTestContext();
  let target: Target;
  let proxy: TestProxy;
  let hooks: RunningHooks;
  /** Ends the calls that are not answered. */
  let held: (() => void)[];
  /** By the path that the hook calls. */
  let uuids: Map<string, string>;

  beforeAll(async () => {
    target = await startTarget();
    context.onEnd(target.stop);
    const port = Number(new URL(target.url).port);
    proxy = await startTestProxy({
      hosts: Object.fromEntries(HOSTS.map((host) => [`${host}:80`, port])),
    });
    context.onEnd(proxy.close);
  });
  beforeEach(async () => {
    [held, uuids] = [[], new Map()];
    target.received.length = 0;
    target.answer = ({ headers }, response) => {
      if (headers.host === 'prompt.test') response.end();
      else held.push(() => response.end());
    };
    hooks = await start();
  });
  afterEach(() => {
    answerAll();
  });

  function start(): Promise<RunningHooks> {
    const { outgoing } = hooksConfig(context.redis, context.api.url, 0);
    return context.start({
      retryDelaySeconds: RETRY_DELAY_SECONDS,
      outgoing: { ...outgoing, allow: ['*.test'], timeoutSeconds: 600 },
      proxies: readProxySettings({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }),
    });
  }

  async function execute(project: string, host: string): Promise<string> {
    const path = `/${uuids.size}`;
    const run = webhookRun(target, { project, URL: `http://${host}${path}` });
    apiKnows(context, run, { commitMs: 0 });
    const { body } = await hooks.call('POST', '/task/execute', run);
    const { uuid } = body as Task;
    uuids.set(path, uuid);
    return uuid;
  }

  function answerAll(): void {
    target.answer = (_, response) => void response.end();
    for (const answer of held) answer();
  }

  /**
   * The hooks whose targets were not called, once each of them was looked at and pauses.
   *
   * @param pauseMs from then on, where it is given
   */
  async function waiting(pauseMs?: number): Promise<string[]> {
    const called = new Set(target.received.map(({ url }) => url));
    const others = [...uuids].flatMap(([path, uuid]) => (called.has(path) ? [] : [uuid]));
    const jobs = createHookQueue({ redis: context.redisClient, logger: silentLogger() });
    const pauses = async (uuid: string): Promise<boolean> => {
      const job = await jobs.queue.getJob(hookJobId(uuid));
      if (!job || !(await job.isDelayed())) return false;
      if (pauseMs === undefined) return true;
      // It may just have begun: then it is no delayed job any more.
      return job.changeDelay(pauseMs).then(
        () => true,
        () => false,
      );
    };
    for (const uuid of others)
      await waitFor(() => pauses(uuid), { what: 'a hook that waits for its turn' });
    await jobs.close();
    return others;
  }

  async function isReported(project: string): Promise<void> {
    await waitFor(() => context.api.callbacks.some(({ url }) => url.includes(`/${project}/`)), {
      what: `the result of the hook of ${project}`,
    });
  }

  it('are called 100 at once by a process; the others wait, and deliveries do not', async () => {
    for (const i of range(MOST)) await execute(`P${i % 5}`, `silent-${i % 5}.test`);
    await waitFor(() => held.length >= MOST);
    for (let i = 0; i < MORE; i++) await execute('P5', 'silent-5.test');

    expect(await waiting(LONG_MS)).toHaveLength(MORE);
    expect(held).toHaveLength(MOST);

    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { push: 'main' });
    await waitFor(() => context.api.runs().length === 1, { what: 'the run of a delivery' });
    expect(held).toHaveLength(MOST);

    answerAll();
    await waitFor(() => context.api.callbacks.length === MOST + MORE);
    expect(target.received).toHaveLength(MOST + MORE);
  });

  it('keep those of no other project waiting', async () => {
    for (const i of range(MOST + MORE)) await execute('A', `silent-${i % 6}.test`);
    await waitFor(() => held.length >= MAX_ONE);
    const others = await waiting(LONG_MS);
    expect(others).toHaveLength(MOST + MORE - MAX_ONE);

    await execute('B', 'prompt.test');
    await isReported('B');
    expect(held).toHaveLength(MAX_ONE);
    const [waits = ''] = others;
    expect(await hooks.executions(waits)).toMatchObject([{ nb_errors: 0 }]);

    answerAll();
    await waitFor(() => context.api.callbacks.length === uuids.size);
    expect(target.received).toHaveLength(uuids.size);
  });

  it('keep those to no other host waiting; what waits is executed by the next process', async () => {
    for (const i of range(MAX_ONE * 2)) await execute(`P${i % 4}`, 'silent-0.test');
    await waitFor(() => held.length >= MAX_ONE);
    const others = await waiting();
    expect(others).toHaveLength(MAX_ONE);

    await execute('P1', 'prompt.test');
    await execute('C', 'prompt.test');
    await isReported('P1');
    await isReported('C');
    expect(held).toHaveLength(MAX_ONE);
    const [waits = ''] = others;
    expect(await hooks.executions(waits)).toMatchObject([{ nb_errors: 0 }]);

    const stopped = hooks.service.stop(30_000);
    answerAll();
    await stopped;
    await start();
    await waitFor(() => context.api.callbacks.length === uuids.size);
    expect(target.received).toHaveLength(uuids.size);
  });
});
