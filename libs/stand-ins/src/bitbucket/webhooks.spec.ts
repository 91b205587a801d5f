import { createHmac } from 'node:crypto';
import express from 'express';
import { listenOn, type Listener } from '../http/listener';
import { bitbucketUnderTest, type BitbucketUnderTest } from './bitbucket.fixture';
import type { Json } from './model';
import { forcePushCommit, pushCommits } from './ref-changes';

const HOOKS = '/repositories/acme/web-shop/hooks';
const REPO = 'acme/web-shop';

interface Received {
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

let bitbucket: BitbucketUnderTest;
let receiver: Listener;
let received: Received[];
let statuses: number[];

beforeEach(async () => {
  received = [];
  statuses = [];
  const app = express();
  app.use(express.raw({ type: () => true, limit: '1mb' }), (request, response) => {
    received.push({ headers: request.headers, body: (request.body as Buffer).toString('utf8') });
    const status = statuses.shift() ?? 200;
    if (status === 0) return;
    response
      .status(status)
      .set(status === 302 ? { Location: '/elsewhere' } : {})
      .end('noted');
  });
  receiver = await listenOn(app, { host: '127.0.0.1', port: 0 });
  bitbucket = await bitbucketUnderTest();
});
afterEach(async () => {
  await bitbucket.standIn.close();
  await receiver.close();
});

const hook = (more: Json = {}) =>
  bitbucket.call('POST', HOOKS, {
    url: `${receiver.url}/hook`,
    description: 'CDS',
    active: true,
    events: ['repo:push'],
    ...more,
  });

function firstChange(): Json {
  const { push } = JSON.parse(received[0]?.body ?? '{}') as { push: { changes: Json[] } };
  return push.changes[0] ?? {};
}

describe('webhooks', () => {
  it('are created, shown, changed and deleted, by their uuid in braces', async () => {
    const created = await hook({ secret: 's3cret' });
    expect(created.status).toBe(201);
    const uuid = String(created.json['uuid']);
    expect(uuid).toMatch(/^\{[0-9a-f-]{36}\}$/);
    expect(created.json).toMatchObject({ secret_set: true, type: 'webhook_subscription' });
    expect(created.text).not.toContain('s3cret');
    const path = `${HOOKS}/${encodeURIComponent(uuid)}`;
    expect(created.headers['location']).toBe(`${bitbucket.standIn.apiUrl}${path}`);

    expect((await bitbucket.call('GET', path)).status).toBe(200);
    expect((await bitbucket.call('GET', `${HOOKS}/${uuid.slice(1, -1)}`)).status).toBe(404);
    const put = await bitbucket.call('PUT', path, { active: false });
    expect(put.json).toMatchObject({ active: false, secret_set: true, events: ['repo:push'] });
    expect((await bitbucket.call('PUT', path, { secret: null })).json['secret_set']).toBe(false);
    expect((await bitbucket.call('DELETE', path)).status).toBe(204);
    expect((await bitbucket.call('DELETE', path)).status).toBe(404);
  });

  it.each([
    ['no url', { url: undefined }],
    ['a relative url', { url: '/webhook/1' }],
    ['another scheme', { url: 'ftp://ci.example/x' }],
    ['no events', { events: [] }],
    ['an unknown event', { events: ['push'] }],
    ['a secret of 129 characters', { secret: 'x'.repeat(129) }],
    ['active that is no boolean', { active: 'yes' }],
  ])('are refused with %s', async (_what, more) => {
    expect((await hook(more)).status).toBe(400);
  });

  it('lists every event there is, to anybody', async () => {
    const { json } = await bitbucket.call('GET', '/hook_events/repository', undefined, 'nobody');
    expect((json['values'] as Json[]).map(({ event }) => event)).toContain('repo:push');
  });
});

describe('deliveries', () => {
  it('carry the headers of Bitbucket and compact JSON, signed where there is a secret', async () => {
    const { json } = await hook({ secret: 's3cret' });
    const pushed = await bitbucket.standIn.push({ repo: REPO, branch: 'dev', message: 'Zoë\n' });
    const [delivery] = await pushed.delivered;

    expect(delivery?.attempts).toMatchObject([{ number: 1, outcome: 200, answer: 'noted' }]);
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Bitbucket-Webhooks/2.0',
      'x-event-key': 'repo:push',
      'x-hook-uuid': String(json['uuid']).slice(1, -1),
      'x-attempt-number': '1',
      'x-request-uuid': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      'x-hub-signature': `sha256=${createHmac('sha256', 's3cret').update(body).digest('hex')}`,
    });
    expect(headers).not.toHaveProperty('x-hub-signature-256');
    expect(body).toBe(JSON.stringify(JSON.parse(body)));
    expect(body).not.toContain('username":"jane');
  });

  it('are not signed without a secret', async () => {
    await hook();
    await (
      await bitbucket.standIn.push({ repo: REPO, branch: 'dev' })
    ).delivered;
    expect(received[0]?.headers).not.toHaveProperty('x-hub-signature');
  });

  it('are tried three times on 5xx, once on anything else', async () => {
    await hook();
    statuses = [500, 503, 502, 400, 302];
    const outcomes = async () => {
      const [delivery] = await (
        await bitbucket.standIn.push({ repo: REPO, branch: 'dev' })
      ).delivered;
      return delivery?.attempts.map(({ outcome }) => outcome);
    };

    expect(await outcomes()).toEqual([500, 503, 502]);
    expect(received.map(({ headers }) => headers['x-attempt-number'])).toEqual(['1', '2', '3']);
    expect(new Set(received.map(({ headers }) => headers['x-request-uuid'])).size).toBe(1);
    expect(await outcomes()).toEqual([400]);
    expect(await outcomes()).toEqual([302]);
    await receiver.close();
    expect(await outcomes()).toEqual([expect.stringContaining('ECONNREFUSED') as string]);
  });

  it('are given up after a while, and not tried again then', async () => {
    await bitbucket.standIn.close();
    bitbucket = await bitbucketUnderTest({ webhookTimeoutMs: 100 });
    await hook();
    statuses = [0];
    const pushed = await bitbucket.standIn.push({ repo: REPO, branch: 'dev' });
    const [delivery] = await pushed.delivered;
    expect(delivery?.attempts.map(({ outcome }) => outcome)).toEqual(['TIMEOUT']);
    expect(received).toHaveLength(1);
  });

  it('go to active webhooks that asked for the event', async () => {
    await hook({ active: false });
    await hook({ events: ['pullrequest:created'] });
    await (
      await bitbucket.standIn.push({ repo: REPO, branch: 'dev' })
    ).delivered;
    expect(received).toEqual([]);

    await bitbucket.standIn.openPullRequest({ repo: REPO, title: 'T', sourceBranch: 'dev' });
    expect(received[0]?.headers['x-event-key']).toBe('pullrequest:created');
  });

  it('that are too large are not sent, and nobody is told', async () => {
    await hook();
    const message = 'x'.repeat(300_000);
    const [delivery] = await (
      await bitbucket.standIn.push({ repo: REPO, branch: 'd', message })
    ).delivered;
    expect(delivery).toMatchObject({ dropped: true, attempts: [] });
    expect(received).toEqual([]);
  });
});

describe('what a push looks like', () => {
  beforeEach(() => hook());

  it('for a branch that is created: five commits at most', async () => {
    const { hash, delivered } = await bitbucket.standIn.push({
      repo: REPO,
      branch: 'dev',
      commits: 3,
    });
    await delivered;

    const change = firstChange();
    expect(change).toMatchObject({
      old: null,
      new: { name: 'dev', type: 'branch', target: { hash } },
      created: true,
      closed: false,
      forced: false,
      truncated: true,
    });
    const commits = change['commits'] as Json[];
    expect(commits).toHaveLength(5);
    expect(commits[0]?.['hash']).toBe(hash);
    expect(Object.keys(change['links'] as Json)).toEqual(['commits', 'html']);
  });

  it('for a branch that moves, forward or by force', async () => {
    const before = bitbucket.standIn.repository(REPO).branches.get('main');
    await (
      await bitbucket.standIn.push({ repo: REPO, branch: 'main' })
    ).delivered;
    expect(firstChange()).toMatchObject({
      old: { target: { hash: before } },
      created: false,
      forced: false,
      truncated: false,
    });
    expect(firstChange()['commits']).toHaveLength(1);
    expect(firstChange()['links']).toHaveProperty('diff');

    received = [];
    await (
      await bitbucket.standIn.forcePush({ repo: REPO, branch: 'main' })
    ).delivered;
    expect(firstChange()).toMatchObject({ forced: true, closed: false });
    expect(firstChange()['links']).not.toHaveProperty('diff');
  });

  it('for a branch that is deleted: no commits, no links', async () => {
    await (
      await bitbucket.standIn.push({ repo: REPO, branch: 'dev' })
    ).delivered;
    received = [];
    await (
      await bitbucket.standIn.deleteBranch({ repo: REPO, branch: 'dev' })
    ).delivered;

    expect(firstChange()).toMatchObject({
      old: { name: 'dev', type: 'branch' },
      new: null,
      created: false,
      closed: true,
    });
    expect(firstChange()).not.toHaveProperty('commits');
    expect(firstChange()).not.toHaveProperty('links');
    await expect(bitbucket.standIn.deleteBranch({ repo: REPO, branch: 'main' })).rejects.toThrow(
      'main branch',
    );
  });

  it('for tags, light and annotated, created and deleted', async () => {
    const head = bitbucket.standIn.repository(REPO).branches.get('main');
    await (
      await bitbucket.standIn.createTag({ repo: REPO, tag: 'v1' })
    ).delivered;
    expect(firstChange()).toMatchObject({
      old: null,
      new: { name: 'v1', type: 'tag', target: { hash: head }, message: null },
      created: true,
    });
    expect(firstChange()).not.toHaveProperty('commits');
    received = [];
    await (
      await bitbucket.standIn.deleteTag({ repo: REPO, tag: 'v1' })
    ).delivered;
    expect(firstChange()).toMatchObject({
      old: { name: 'v1', type: 'tag' },
      new: null,
      closed: true,
    });
  });

  it('for several refs at once: one delivery', async () => {
    const { account } = {
      account: bitbucket.standIn.repository(REPO).commits.values().next().value,
    };
    if (!account) throw new Error('no commit');
    const { delivered } = await bitbucket.standIn.pushTogether(REPO, [
      (one) => pushCommits(one, account.author, { branch: 'a' }),
      (one) => pushCommits(one, account.author, { branch: 'b' }),
      (one) => forcePushCommit(one, account.author, { branch: 'a' }),
    ]);
    await delivered;
    const { push } = JSON.parse(received[0]?.body ?? '{}') as { push: { changes: unknown[] } };
    expect(received).toHaveLength(1);
    expect(push.changes).toHaveLength(3);
  });
});

describe('the control surface', () => {
  it('does over HTTP what the methods do', async () => {
    await hook();
    const pushed = await bitbucket.control('push', { repo: REPO, branch: 'dev' });
    expect(pushed.json).toMatchObject({
      hash: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      deliveries: [{ event: 'repo:push', attempts: [{ outcome: 200 }] }],
    });
    expect((await bitbucket.control('deliveries')).text).toContain('X-Request-UUID');
    expect((await bitbucket.control('state')).text).toContain('acme/web-shop');
    await bitbucket.control('fail', { fault: { kind: 'answer', status: 500 } });
    expect((await bitbucket.call('GET', '/user')).status).toBe(500);
    await bitbucket.control('revokeGrants', {});
    expect((await bitbucket.call('GET', '/user')).status).toBe(401);
  });

  it('says what is wrong with what it is given', async () => {
    const answer = await bitbucket.control('push', { repo: 'web-shop', branchs: 'dev' });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('workspace/slug is expected');
    expect((await bitbucket.control('pushh')).json['error']).toContain('push, forcePush');
    expect((await bitbucket.control('')).text).toContain('createTag');
  });
});
