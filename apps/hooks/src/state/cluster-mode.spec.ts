import { freePort, startTestRedis, type TestRedis } from '@cds/testing';
import { startHooksProcess } from '../../test/hooks-process';

/** With no slots, and with all: a node takes two seconds until it serves them. */
let empty: TestRedis;
let node: TestRedis;
let api: { url: string };

beforeAll(async () => {
  const start = () => startTestRedis({ args: ['--cluster-enabled', 'yes'] });
  [empty, node] = [await start(), await start()];
  await node.assignSlots();
  api = { url: `http://127.0.0.1:${await freePort()}` };
});
afterAll(() => Promise.all([empty.stop(), node.stop()]));

/** How a `hooks` that was started ended, and each error that it logged until then. */
async function endOf({ child }: Awaited<ReturnType<typeof startHooksProcess>>) {
  const { code } = await child.exited;
  const lines = child.stdout().split('\n').filter(Boolean);
  const records = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
  return { code, errors: records.filter(({ level }) => level === 'error').map(({ msg }) => msg) };
}

const ONE_ERROR = [
  expect.stringMatching(/^Redis is in cluster mode, which is not supported: give/),
];

describe('a Redis in cluster mode ends the start of hooks with one error', () => {
  it('where it has all slots', async () => {
    const end = await endOf(await startHooksProcess({ api, redis: node }));
    expect(end).toEqual({ code: 1, errors: ONE_ERROR });
  });

  it('where it has none, and whoever supervises hooks is told not to try again', async () => {
    const supervised = { CDS_BITBUCKET_SUPERVISED: '1' };
    const end = await endOf(await startHooksProcess({ api, redis: empty }, [], supervised));
    expect(end).toEqual({ code: 78, errors: ONE_ERROR });
  });

  it('where it refuses the number of the database', async () => {
    const second = { CDS_HOOKS_CACHE_REDIS_DBINDEX: '1' };
    const end = await endOf(await startHooksProcess({ api, redis: node }, [], second));
    expect(end).toEqual({ code: 1, errors: ONE_ERROR });
  });

  // The last, since the node has to wait again after it.
  it('when it is there for the first time', async () => {
    await node.kill();
    const hooks = await startHooksProcess({ api, redis: node });
    await hooks.child.waitForOutput('Redis cannot be reached');
    await node.start();
    expect(await endOf(hooks)).toEqual({ code: 1, errors: ONE_ERROR });
  });
});
