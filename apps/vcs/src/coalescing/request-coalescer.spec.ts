import { waitFor } from '@cds/testing';
import { useTestContext, type Pair, type TestContext } from '../../test/test-context.fixture';
import { hashOf, newRepository } from '../../test/stand-in-data.fixture';
import { createMetrics } from '@cds/service';
import { createRequestCoalescer, type ReadRule } from './request-coalescer';

const KEPT: ReadRule = { joinMs: Infinity, cacheMs: 60_000 };
const CURRENT: ReadRule = { joinMs: 60_000, cacheMs: 0 };

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((ok, no) => {
    resolve = ok;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe('shared reads', () => {
  const patient = () => ({ signal: new AbortController().signal, deadline: Infinity });

  function create() {
    const sources: string[] = [];
    return { reads: createRequestCoalescer({ onRead: (source) => sources.push(source) }), sources };
  }

  it('ask once while one is under way, and again after it where nothing is kept', async () => {
    const { reads, sources } = create();
    const answer = deferred<number>();
    const read = { key: 'k', rule: CURRENT, work: () => answer.promise };
    const three = [1, 2, 3].map(() => reads.read(read, patient()));
    answer.resolve(7);
    expect(await Promise.all(three)).toEqual([7, 7, 7]);
    await reads.read(read, patient());
    expect(sources).toEqual(['under_way', 'under_way', 'bitbucket', 'bitbucket']);
  });

  it('do not join one that began too long ago', async () => {
    const { reads, sources } = create();
    const slow = deferred<string>();
    const rule = { joinMs: 0, cacheMs: 0 };
    const old = reads.read({ key: 'k', rule, work: () => slow.promise }, patient());
    const now = reads.read({ key: 'k', rule, work: async () => 'new head' }, patient());
    expect(await now).toBe('new head');
    slow.resolve('old head');
    expect(await old).toBe('old head');
    expect(sources).toEqual(['bitbucket', 'bitbucket']);
  });

  it('keep answers, never errors, and nothing under another key', async () => {
    const { reads, sources } = create();
    let asked = 0;
    const failing = async () => {
      asked += 1;
      if (asked === 1) throw new Error('down');
      return asked;
    };
    const read = { key: 'a', rule: KEPT, work: failing };
    const both = await Promise.allSettled([
      reads.read(read, patient()),
      reads.read(read, patient()),
    ]);
    expect(both.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    expect(await reads.read(read, patient())).toBe(2);
    expect(await reads.read(read, patient())).toBe(2);
    expect(await reads.read({ ...read, key: 'b' }, patient())).toBe(3);
    expect(sources.filter((source) => source === 'memory')).toHaveLength(1);
  });

  it('go on for the others when one leaves, and end with the last', async () => {
    const { reads } = create();
    const answer = deferred<string>();
    const signals: AbortSignal[] = [];
    const work = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return answer.promise;
    };
    const [first, second, alone] = [1, 2, 3].map(() => new AbortController());
    const read = (key: string, caller: AbortController | undefined) =>
      reads.read({ key, rule: KEPT, work }, { signal: caller?.signal ?? AbortSignal.abort() });
    const leaves = read('shared', first);
    const stays = read('shared', second);
    const lonely = read('lonely', alone);
    await waitFor(() => signals.length === 2, { what: 'both reads' });
    first?.abort();
    alone?.abort();
    await expect(leaves).rejects.toMatchObject({ status: 504 });
    await expect(lonely).rejects.toMatchObject({ status: 504 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    answer.resolve('done');
    expect(await stays).toBe('done');
  });

  it('answer from memory what would be refused, however old, and refuse the rest', async () => {
    const { reads } = create();
    const rule = { joinMs: Infinity, cacheMs: 0, staleMs: 60_000 };
    await reads.read({ key: 'known', rule, work: async () => 'old' }, patient());
    const refused = (key: string) =>
      reads.read(
        { key, rule, work: async () => 'new', refusal: async () => new Error('no calls left') },
        patient(),
      );
    expect(await refused('known')).toBe('old');
    await expect(refused('unknown')).rejects.toThrow('no calls left');
  });
});

describe('calls of Bitbucket', () => {
  const context = useTestContext();
  const base = '/vcs/bitbucketcloud/repos';
  const repo = `${base}/acme/widgets`;
  const made = () =>
    context.bitbucket.requests.splice(0).map(({ method, path }) => `${method} ${path}`);

  async function get(vcs: ReturnType<TestContext['instance']>, path: string, pair?: Pair) {
    const answer = await vcs.call('get', path, pair ?? context.pair);
    return { status: answer.status, body: answer.body as unknown };
  }

  it('are one for a burst of listings, and none again at once, but never for another grant', async () => {
    const vcs = context.instance();
    context.bitbucket.latencyMs = 100;
    const burst = await Promise.all(Array.from({ length: 10 }, () => get(vcs, base)));
    expect(new Set(burst.map(({ status }) => status))).toEqual(new Set([200]));
    expect(made()).toEqual(['GET /2.0/user/workspaces', 'GET /2.0/repositories/acme'].map(below));
    await get(vcs, base);
    expect(made()).toEqual([]);
    await get(vcs, base, context.bitbucket.oauth.issue());
    expect(made()).toHaveLength(2);
    // Who knows half of a pair is told nothing.
    const half = { ...context.pair, accessToken: 'made-up' };
    await get(vcs, base, half);
    expect(made().length).toBeGreaterThan(0);
  });

  it('show the head of a branch as it is now, and what was written as it was written', async () => {
    const vcs = context.instance();
    const head = async () => {
      const { body } = await get(vcs, `${repo}/branches/?branch=main`);
      return (body as { latest_commit: string }).latest_commit;
    };
    const before = await head();
    const pushed = { ...context.widgets.commits[0], hash: hashOf('pushed') };
    context.widgets.commits.unshift(pushed as (typeof context.widgets.commits)[number]);
    context.widgets.branches.set('main', pushed.hash);
    expect(before).not.toBe(pushed.hash);
    expect(await head()).toBe(pushed.hash);

    context.widgets.branches.set('topic', pushed.hash);
    expect((await get(vcs, `${repo}/pullrequests`)).body).toEqual([]);
    const created = await vcs.call('post', `${repo}/pullrequests`, context.pair).send({
      title: 'mine',
      head: { branch: { display_id: 'topic' } },
    });
    expect(created.status).toBe(200);
    expect((await get(vcs, `${repo}/pullrequests`)).body).toHaveLength(1);
  });

  it('are the fewest that do it: linking, a push with its status, a webhook', async () => {
    const vcs = context.instance();
    const at = '/repositories/acme/widgets';
    context.bitbucket.repositories.push(newRepository('other', 'thing'));

    // A page of workspaces, and one of each; then the repository for its main branch, and a page of
    // branches.
    await get(vcs, base);
    expect(made()).toHaveLength(3);
    await get(vcs, `${repo}/branches`);
    expect(made().sort()).toEqual([`GET ${at}`, `GET ${at}/refs/branches`]);

    const hash = context.widgets.commits[0]?.hash ?? '';
    await get(vcs, `${repo}/branches/?branch=main`);
    await get(vcs, `${repo}/commits/${hash}`);
    expect(made()).toEqual([`GET ${at}/refs/branches/main`, `GET ${at}/commit/${hash}`]);
    // Every run of a workflow asks for its commit.
    await get(vcs, `${repo}/commits/${hash}`);
    expect(made()).toEqual([]);
    await get(vcs, `${repo}/commits/${hash}/statuses`);
    expect(made()).toEqual([`GET ${at}/commit/${hash}/statuses`]);

    const hook = { name: 'wf', method: 'POST', url: 'https://hooks.example/webhook/one' };
    await vcs.call('post', `${repo}/hooks`, context.pair).send(hook).expect(200);
    expect(made()).toEqual([`GET ${at}/hooks`, `POST ${at}/hooks`]);
  });

  it('near the end of the budget go to runs, and it shows', async () => {
    const metrics = createMetrics({ service: 'vcs' });
    const vcs = context.instance({ metrics, server: { callsPerHour: 20 } });
    const hash = context.widgets.commits[0]?.hash ?? '';
    expect((await get(vcs, `${repo}/tags`)).status).toBe(200);
    for (let call = 0; call < 17; call += 1) await get(vcs, `${repo}/branches/?branch=none`);
    made();
    const refused = await vcs.call('get', `${repo}/forks`, context.pair);
    expect(refused.status).toBe(429);
    expect(refused.body.message).toContain('what is left is kept for runs');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(60);
    expect((await get(vcs, `${repo}/branches`)).status).toBe(429);
    expect((await get(vcs, `${repo}/tags`)).status).toBe(200);
    expect(made().filter((path) => !path.endsWith('/acme/widgets'))).toEqual([]);
    expect((await get(vcs, `${repo}/branches/?branch=main`)).status).toBe(200);
    expect((await get(vcs, `${repo}/commits/${hash}`)).status).toBe(200);
    const hook = { name: 'wf', method: 'POST', url: 'https://hooks.example/webhook/two' };
    await vcs.call('post', `${repo}/hooks`, context.pair).send(hook).expect(200);

    const [line] = await vcs.app.lines();
    expect(line).toMatchObject({ component: 'Bitbucket Calls bitbucketcloud', status: 'AL' });
    expect(line?.value).toMatch(/^\d+ of 20 spent in the last hour; listings are refused/);
    const { text } = await metrics.text();
    expect(text).toMatch(/cds_vcs_bitbucket_calls_left\{server="bitbucketcloud"\} 0\n/);
    expect(text).toContain('cds_vcs_bitbucket_calls_limit{server="bitbucketcloud"} 20');
    expect(text).toMatch(/cds_vcs_held_back_total\{what="listing"\} [23]\n/);
    expect(text).toContain(
      'cds_vcs_bitbucket_requests_total{route="/repositories/{workspace}/{repo_slug}/commit/{commit}",method="GET",status="200"} 1',
    );
    // Nothing that was asked for is in it.
    expect(text).not.toMatch(/acme|widgets|branch=|[0-9a-f]{40}/);
  });
});

function below(call: string): string {
  return call.replace('/2.0', '');
}
