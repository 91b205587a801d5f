import { createHash } from 'node:crypto';
import { waitFor } from '@cds/testing';
import { createMetrics } from '@cds/service';
import type { Request, Response } from 'express';
import { useTestContext, type VcsInstance } from '../../test/test-context.fixture';
import { createRepeatedCalls } from './repeated-calls';

const REPO = '/vcs/bitbucketcloud/repos/acme/widgets';
const COMMENTS = `${REPO}/pullrequests/comments`;

const context = useTestContext();

/** Refused at once, since no caller would wait that long. */
const LIMITED = { status: 429, headers: { 'Retry-After': '120' } };

/** As the API does: at once, up to five times, while the answer is one that it repeats. */
async function askAsTheApi(
  vcs: VcsInstance,
  method: 'get' | 'post',
  path: string,
  body?: object,
): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < 5 && (statuses.at(-1) ?? 409) >= 409) {
    const { status } = await vcs.call(method, path, context.pair).send(body);
    statuses.push(status);
  }
  return statuses;
}

beforeEach(() => {
  const at = { repository: 'acme/widgets', hash: String(context.widgets.commits[0]?.hash) };
  const source = { ...at, branch: 'feat/one' };
  const destination = { ...at, branch: 'main' };
  const request = { id: 1, title: 'PR', state: 'OPEN', source, destination, comments: [] } as const;
  context.widgets.pullRequests.push({ ...request, comments: [] });
});

const calls = () => context.bitbucket.requests.length;

describe('a call that the API repeats', () => {
  it('is one call at Bitbucket: a read', async () => {
    const metrics = createMetrics({ service: 'vcs' });
    const vcs = context.instance({ metrics });
    context.bitbucket.disturb({ path: /widgets$/, ...LIMITED, times: 5 });
    expect(await askAsTheApi(vcs, 'get', `${REPO}?n=1`)).toEqual([429, 429, 429, 429, 429]);
    expect(calls()).toBe(1);
    expect((await metrics.text()).text).toContain('cds_vcs_repeated_calls_total 4');
  });

  it('is one call at Bitbucket: a write that failed, whose repeat would comment again', async () => {
    const vcs = context.instance();
    context.bitbucket.disturb({ method: 'POST', path: /comments/, status: 502, times: 5 });
    const body = { id: 1, message: 'hello' };
    expect(await askAsTheApi(vcs, 'post', COMMENTS, body)).toEqual([502, 502, 502, 502, 502]);
    expect(calls()).toBe(1);
    // Another comment is another call.
    await vcs.call('post', COMMENTS, context.pair).send({ id: 1, message: 'other' });
    expect(calls()).toBe(2);
  });

  it('is served anew when a person asks a little later', async () => {
    const vcs = context.instance();
    context.bitbucket.disturb({ path: /widgets$/, ...LIMITED });
    const ask = () => vcs.call('get', `${REPO}?n=1`, context.pair);
    await ask().expect(429);
    await waitFor(async () => (await ask()).status === 200, { what: 'an answer of Bitbucket' });
  });

  it('is not answered with what another credential or question was refused with', async () => {
    const vcs = context.instance();
    context.bitbucket.disturb({ path: /widgets$/, ...LIMITED });
    await vcs.call('get', `${REPO}?n=1`, context.pair).expect(429);
    await vcs.call('get', `${REPO}?n=2`, context.pair).expect(200);
    await vcs.call('get', `${REPO}?n=1`, context.bitbucket.oauth.issue()).expect(200);
  });

  it.each([401, 403, 404])('is not remembered when it is refused with %d', async (status) => {
    const vcs = context.instance();
    context.bitbucket.disturb({ path: /tags/, status });
    if (status === 401) context.bitbucket.disturb({ path: /tags/, status });
    await vcs.call('get', `${REPO}/tags`, context.pair).expect(status);
    await vcs.call('get', `${REPO}/tags`, context.pair).expect(200);
  });
});

describe('a write that is under way', () => {
  it('is joined by its repeat', async () => {
    const vcs = context.instance();
    context.bitbucket.latencyMs = 200;
    const comment = () => vcs.call('post', COMMENTS, context.pair).send({ id: 1, message: 'once' });
    const answers = await Promise.all([comment(), comment(), comment()]);
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
    expect(context.widgets.pullRequests[0]?.comments).toEqual(['once']);
  });

  it('is not done again when its caller left before the answer', async () => {
    const vcs = context.instance();
    context.bitbucket.latencyMs = 300;
    const comment = () => vcs.call('post', COMMENTS, context.pair).send({ id: 1, message: 'once' });
    await comment()
      .timeout(100)
      .catch(() => undefined);
    const comments = context.widgets.pullRequests[0]?.comments;
    await waitFor(() => comments?.length, { what: 'the comment' });
    await comment().expect(204);
    expect(comments).toEqual(['once']);
  });
});

describe('a call with a large body', () => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'a');
  const call = (sent: Buffer) => ({
    req: { method: 'POST', originalUrl: '/', body: sent } as Request,
    res: { destroyed: false } as Response,
    sender: 'a project',
  });

  it('is told from others by its bytes, at the price of reading them', async () => {
    const { run } = createRepeatedCalls({ onRepeat: () => undefined });
    const bestOf = async (work: () => unknown): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const began = performance.now();
        await work();
        times.push(performance.now() - began);
      }
      return Math.min(...times);
    };
    const hashing = await bestOf(() => createHash('sha256').update(body).digest());
    expect(await bestOf(() => run(call(body), async () => 1))).toBeLessThan(5 * hashing + 5);

    const other = Buffer.from(body);
    other[other.length - 1] = 0;
    const refused = () => Promise.reject(new Error('refused'));
    await expect(run(call(body), refused)).rejects.toThrow('refused');
    await expect(run(call(body), async () => 2)).rejects.toThrow('refused');
    expect(await run(call(other), async () => 2)).toBe(2);
  });
});
