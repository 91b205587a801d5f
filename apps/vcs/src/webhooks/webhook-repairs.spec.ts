import { randomUUID } from 'node:crypto';
import { createMetrics } from '@cds/service';
import { vcsKeys } from '@cds/redis';
import { waitFor, provesNothingHappensFor } from '@cds/testing';
import { webhookSecret } from '@cds/webhook-signature';
import { newRepository, type StandInHook } from '../../test/stand-in-data.fixture';
import {
  useTestContext,
  WEBHOOK_KEY,
  WIDGETS,
  type VcsInstance,
} from '../../test/test-context.fixture';
import { createWebhookStore } from './webhook-store';
import { createRepairWebhook } from './repair-webhook';
import { createWebhookKey } from './webhook-key';

const REPO = '/vcs/bitbucketcloud/repos/acme/widgets';
const HOOKS_URL = 'https://hooks.acme.example';

const context = useTestContext({ lookedAtWebhooks: false });
let vcs: VcsInstance;

beforeEach(() => {
  vcs = context.instance({ hooksUrl: HOOKS_URL });
});

/** A webhook at Bitbucket as an older CDS left it there. */
function standing(change: Partial<StandInHook> = {}): StandInHook {
  const hook = {
    uuid: `{${randomUUID()}}`,
    url: `${HOOKS_URL}/webhook/${randomUUID()}`,
    description: 'CDS webhook - build',
    active: true,
    events: ['repo:push'],
    ...change,
  };
  context.widgets.hooks.push(hook);
  return hook;
}

const uuidOf = ({ url }: { url: string }) => url.slice(url.lastIndexOf('/') + 1);
const secretOf = (hook: { url: string }, key = WEBHOOK_KEY) => webhookSecret(key, uuidOf(hook));
const branches = (instance = vcs) => instance.call('get', `${REPO}/branches`, context.pair);
const put = (body: object, instance = vcs, method: 'post' | 'put' = 'post') =>
  instance.call(method, `${REPO}/hooks`, context.pair).send({ name: 'build', ...body });
const lookUp = (url: string, instance = vcs) =>
  instance.call('get', `${REPO}/hooks?url=${encodeURIComponent(url)}`, context.pair);
const asked = (method: string) =>
  context.bitbucket.requests.filter(
    (request) => request.method === method && request.path.includes('/hooks'),
  );

/**
 * Until nothing more is asked of Bitbucket: what comes in the background comes at once or not at
 * all.
 */
async function quiet(): Promise<void> {
  for (let before = -1; before !== context.bitbucket.requests.length;) {
    before = context.bitbucket.requests.length;
    // Many short pauses: a process that got no processor for a while has had one of them.
    for (let turns = 0; turns < 15; turns += 1) await provesNothingHappensFor(10);
  }
}

const signed = (hook: StandInHook) =>
  waitFor(() => hook.secret === secretOf(hook), { what: 'the webhook to be signed' });

describe('the secret of a webhook', () => {
  it('is made of the key and the uuid, whether it is created, found or updated', async () => {
    const url = `${HOOKS_URL}/webhook/${randomUUID()}`;
    const { body } = await put({ url });
    const [hook] = context.widgets.hooks;
    expect(hook?.secret).toBe(secretOf({ url }));
    expect(hook?.secret).toMatch(/^[0-9a-f]{64}$/);

    for (const [method, change] of [
      ['post', {}],
      ['put', { id: body.id }],
      ['put', { id: '' }],
    ] as const) {
      delete hook?.secret;
      await put({ url, ...change }, vcs, method);
      expect(hook?.secret).toBe(secretOf({ url }));
    }
    expect(context.widgets.hooks).toHaveLength(1);
  });

  it('is the same behind a proxy, and goes with updates where creation is disabled', async () => {
    const url = `${HOOKS_URL}/webhook/${randomUUID()}`;
    const server = { proxyWebhook: 'https://proxy.acme.example/in' };
    const { body } = await put({ url }, context.instance({ server }));
    const [hook] = context.widgets.hooks;
    expect(hook).toMatchObject({
      url: `https://proxy.acme.example/in/${uuidOf({ url })}`,
      secret: secretOf({ url }),
    });

    delete hook?.secret;
    const manual = context.instance({ server: { ...server, disableWebHooksCreation: true } });
    await put({ url, id: body.id }, manual, 'put');
    expect(hook?.secret).toBe(secretOf({ url }));
  });

  it('is told to nobody: no log at any level, no answer, nothing in Redis', async () => {
    const url = `${HOOKS_URL}/webhook/${randomUUID()}`;
    const old = standing({ active: false });
    const secrets = [secretOf({ url }), secretOf(old), WEBHOOK_KEY];
    const answers = [await put({ url }), await lookUp(url), await lookUp(old.url)];
    delete old.secret;
    context.bitbucket.disturb({
      method: 'PUT',
      path: /hooks/,
      status: 400,
      body: { type: 'error', error: { message: `bad ${secretOf({ url })}` } },
    });
    answers.push(await put({ url }), await branches());
    await signed(old);
    const manual = context.instance({ server: { disableWebHooksCreation: true } });
    answers.push(await put({ url: `${url}0` }, manual));
    secrets.push(secretOf({ url: `${url}0` }));
    await quiet();

    const keys = await vcs.redis.keys('*');
    const { redis } = vcs;
    const stored = await Promise.all(
      keys.map(async (key) => {
        const type = await redis.type(key);
        if (type === 'hash') return redis.hgetall(key);
        return type === 'zset' ? redis.zrange(key, '0', '-1') : redis.get(key);
      }),
    );
    const everything = JSON.stringify([
      context.logged,
      answers.map(({ body, headers }) => [body, headers]),
      keys,
      stored,
    ]);
    expect(keys).toContain(vcsKeys.webhooks(WIDGETS));
    expect(everything).toContain('by hand');
    expect(everything).toContain('bad [hidden]');
    expect(JSON.stringify(stored)).toContain(uuidOf(old));
    for (const secret of secrets) expect(everything).not.toContain(secret);
    expect(context.logged).toContainEqual(
      expect.objectContaining({ command: `engine vcs webhook ${uuidOf({ url: `${url}0` })}` }),
    );
  });
});

describe('after another call for the repository', () => {
  it('webhooks of ours are signed and active, and keep their description and events', async () => {
    const unsigned = standing({ events: ['repo:push', 'pullrequest:created'] });
    const inactive = standing({ active: false, description: 'CDS webhook - ' });
    const fine = await put({ url: `${HOOKS_URL}/webhook/${randomUUID()}` });
    await quiet();
    // Signed, but nobody knows with what.
    const unknown = standing({ secret: 'of somebody' });
    Object.assign(unsigned, { secret: undefined });
    Object.assign(inactive, { secret: undefined, active: false });
    const before = asked('PUT').length;

    expect((await branches()).status).toBe(200);
    for (const hook of [unsigned, inactive, unknown]) await signed(hook);
    await quiet();

    expect(unsigned).toMatchObject({
      active: true,
      description: 'CDS webhook - build',
      events: ['repo:push', 'pullrequest:created'],
    });
    expect(inactive).toMatchObject({ active: true, description: 'CDS webhook - ' });
    expect(asked('PUT').slice(before)).toHaveLength(3);
    expect(context.widgets.hooks.find(({ uuid }) => uuid === fine.body.id)?.active).toBe(true);
    expect(context.logged).toContainEqual(
      expect.objectContaining({
        msg: 'webhook repaired',
        repository: 'acme/widgets',
        webhook: inactive.uuid,
        faults: ['unsigned', 'inactive'],
      }),
    );
  });

  it('are one for each URL, the one that was put in force; others’ duplicates stay', async () => {
    const url = `${HOOKS_URL}/webhook/${randomUUID()}`;
    const { body } = await put({ url });
    const [ours] = context.widgets.hooks;
    standing({ url, secret: 'set by hand', description: 'by hand' });
    standing({ url, active: false });
    const another = 'https://another.acme.example/webhook/abcdefgh';
    const others = [standing({ url: another }), standing({ url: another })];

    await branches();
    await waitFor(() => context.widgets.hooks.length === 3, { what: 'the duplicates to go' });
    await quiet();
    expect(context.widgets.hooks).toEqual([ours, ...others]);
    expect(ours?.uuid).toBe(body.id);
    expect(ours?.secret).toBe(secretOf({ url }));
  });

  it('get the events that the API wants beside those that they have', async () => {
    const url = `${HOOKS_URL}/webhook/${randomUUID()}`;
    await put({ url, events: ['repo:push', 'repo:fork'] });
    const [hook] = context.widgets.hooks;
    if (!hook) throw new Error('no webhook');
    Object.assign(hook, { active: false, events: ['pullrequest:created', 'repo:fork'] });
    const empty = standing({ events: [] });

    await branches();
    await waitFor(() => hook.active && empty.secret, { what: 'the webhooks to be put right' });
    expect(hook.events).toEqual(['pullrequest:created', 'repo:fork', 'repo:push']);
    expect(empty.events).toEqual(['repo:push']);
  });

  it.each([
    ['says nothing of CDS', { description: 'Jenkins' }],
    ['belongs to another CDS', { url: `https://other.example/webhook/${randomUUID()}` }],
    ['leads elsewhere below the same host', { url: `${HOOKS_URL}/ci/${randomUUID()}` }],
    ['ends in no uuid', { url: `${HOOKS_URL}/webhook/` }],
  ])('one that %s is left alone', async (_, change) => {
    const foreign = standing({ ...change, active: false });
    const ours = standing();
    await branches();
    await signed(ours);
    await quiet();
    expect(foreign).toMatchObject({ active: false });
    expect(foreign.secret).toBeUndefined();
    expect(asked('PUT')).toHaveLength(1);
  });

  it('they are looked at once a day, whatever is called and by how many replicas', async () => {
    const replicas = [vcs, context.instance({ hooksUrl: HOOKS_URL })];
    const hook = standing();
    await Promise.all(
      Array.from({ length: 8 }, (_, index) => branches(replicas[index % replicas.length])),
    );
    await signed(hook);
    hook.active = false;
    await vcs.call('get', `${REPO}/tags`, context.pair);
    await branches(context.instance({ hooksUrl: HOOKS_URL }));
    await quiet();

    expect(asked('GET')).toHaveLength(1);
    expect(hook.active).toBe(false);
  });

  it('a build status is such a call', async () => {
    const hook = standing();
    const answer = await vcs.call('post', '/vcs/bitbucketcloud/status', context.pair).send({
      type_event: 'sdk.EventRunWorkflowNode',
      project_key: 'PROJ',
      workflow_name: 'build',
      payload: {
        Number: 1,
        SubNumber: 0,
        Status: 'Success',
        Hash: context.widgets.commits[0]?.hash,
        BranchName: 'main',
        NodeName: 'compile',
        RepositoryFullName: 'acme/widgets',
      },
    });
    expect(answer.status).toBe(204);
    await signed(hook);
  });

  it('a call that failed, or that is about no repository, is none', async () => {
    standing();
    context.bitbucket.disturb({ path: /refs\/branches/, status: 403 });
    expect((await branches()).status).toBe(403);
    await vcs.call('get', '/vcs/bitbucketcloud/webhooks', context.pair);
    await vcs.call('get', `${REPO}/pullrequests/0`, context.pair);
    await quiet();
    expect(asked('GET')).toEqual([]);
  });

  it('the answer waits for nothing of it, and the end of the service neither', async () => {
    standing();
    context.bitbucket.disturb({ path: /hooks/, status: 500, delayMs: 3_600_000 });
    await branches();
    await waitFor(() => asked('GET').length === 1, { what: 'the listing' });
    await vcs.app.close(3_600_000);
    await branches();
    await quiet();
    expect(asked('GET')).toHaveLength(1);
  });
});

describe('whose a webhook is', () => {
  it('the API tells by the first one that it puts in force, for all repositories', async () => {
    const ignorant = context.instance();
    const old = standing();
    await branches(ignorant);
    await quiet();
    expect(old.secret).toBeUndefined();

    await put({ url: `${HOOKS_URL}/webhook/${randomUUID()}` }, ignorant);
    // Its listing showed the old one too.
    await signed(old);
    expect(await vcs.redis.zrange(vcsKeys.webhookUrlPrefixes, '0', '-1')).toEqual([
      `${HOOKS_URL}/webhook/`,
    ]);
  });

  it('proxyWebhook tells, and urlPublic from before the proxy', async () => {
    const proxied = context.instance({
      server: { proxyWebhook: 'https://proxy.acme.example/in' },
      hooksUrl: HOOKS_URL,
    });
    const behind = standing({ url: `https://proxy.acme.example/in/${randomUUID()}` });
    const before = standing();
    const beside = standing({ url: `https://proxy.acme.example/in/x/${randomUUID()}` });
    await branches(proxied);
    await signed(behind);
    await signed(before);
    expect(beside.secret).toBeUndefined();
  });
});

describe('looking a webhook up', () => {
  it('puts it right before it is answered, whatever its URL; the others after that', async () => {
    const named = standing({ url: `https://elsewhere.example/webhook/${randomUUID()}` });
    named.active = false;
    const other = standing();
    const answer = await lookUp(named.url);

    expect(answer.body).toMatchObject({ id: named.uuid, url: named.url, disable: false });
    expect(named).toMatchObject({ active: true, secret: secretOf(named) });
    await signed(other);
    expect(asked('GET')).toHaveLength(1);
  });

  it('puts right a few others only, and none when it finds none', async () => {
    const many = Array.from({ length: 8 }, () => standing());
    expect((await lookUp('https://hooks.acme.example/webhook/none')).status).toBe(404);
    await waitFor(() => many.filter(({ secret }) => secret).length === 5, { what: 'five' });
    await quiet();
    expect(asked('PUT')).toHaveLength(5);
  });

  it('answers what is there when it cannot be put right, and it is ours from then on', async () => {
    const url = `https://elsewhere.example/webhook/${randomUUID()}`;
    const hook = standing({ url, active: false });
    context.bitbucket.disturb({ method: 'PUT', path: /hooks/, status: 500 });
    const answer = await lookUp(url);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id: hook.uuid, disable: true });
    expect(asked('PUT')).toHaveLength(1);

    await branches();
    await signed(hook);
  });

  it('leaves alone one that does not say that it is of CDS', async () => {
    const foreign = standing({ description: 'by hand' });
    expect((await lookUp(foreign.url)).body.id).toBe(foreign.uuid);
    expect(asked('PUT')).toEqual([]);
  });
});

describe('another key', () => {
  it('reaches all webhooks after the next call, though they were looked at today', async () => {
    const url = `${HOOKS_URL}/webhook/${randomUUID()}`;
    await put({ url });
    await branches();
    await quiet();
    const [hook] = context.widgets.hooks;
    expect(hook?.secret).toBe(secretOf({ url }));

    const rotated = context.instance({ webhookKey: 'the-next-key' });
    await branches(rotated);
    await waitFor(() => hook?.secret === secretOf({ url }, 'the-next-key'), { what: 'the key' });
    await quiet();
    expect(asked('PUT')).toHaveLength(1);
    expect(context.logged).toContainEqual(expect.objectContaining({ faults: ['other key'] }));
  });
});

describe('what is left alone', () => {
  it.each([{ disableWebHooks: true }, { disableWebHooksCreation: true }])(
    'webhooks where %j: they are the operator’s',
    async (server) => {
      const manual = context.instance({ server, hooksUrl: HOOKS_URL });
      const hook = standing({ active: false });
      await branches(manual);
      expect((await lookUp(hook.url, manual)).body.disable).toBe(true);
      await quiet();
      expect(asked('PUT')).toEqual([]);
      expect(asked('GET')).toHaveLength(1);
    },
  );

  it('what somebody put in force meanwhile', async () => {
    const key = createWebhookKey(WEBHOOK_KEY);
    const webhookStore = createWebhookStore(vcs.redis);
    const hook = standing();
    const was = await webhookStore.save(WIDGETS, hook.url, {
      uuid: hook.uuid,
      events: [],
      key: key.fingerprint,
    });
    await webhookStore.save(WIDGETS, hook.url, was);
    const updateHook = jest.fn();
    const { repair } = createRepairWebhook({
      webhookStore,
      webhookKey: key,
      runExclusive: (_id, _signal, work) => work(),
      logger: { info: jest.fn() } as never,
      onResult: jest.fn(),
    });
    const ctx = { signal: AbortSignal.timeout(1_000), deadline: 0 };
    const target = {
      id: WIDGETS,
      repo: { workspace: 'acme', slug: 'widgets' },
      bitbucket: { updateHook } as never,
    };
    expect(await repair(target, hook, was, ctx)).toBe(hook);
    expect(updateHook).not.toHaveBeenCalled();
  });

  it('what the API deleted is forgotten, also when it names it by Bitbucket’s uuid alone', async () => {
    const urls = [0, 1].map(() => `${HOOKS_URL}/webhook/${randomUUID()}`);
    const ids = [];
    for (const url of urls) ids.push((await put({ url })).body.id);
    const known = () => vcs.redis.hkeys(vcsKeys.webhooks(WIDGETS));
    expect(await known()).toHaveLength(2);
    const hooks = `${REPO}/hooks`;
    await vcs.call('delete', `${hooks}?id=${ids[0]}`, context.pair);
    expect(await known()).toEqual([urls[1]]);
    const url = encodeURIComponent(String(urls[1]));
    await vcs.call('delete', `${hooks}?url=${url}&id=${ids[1]}`, context.pair);
    expect(await known()).toEqual([]);
  });
});

describe('when it cannot be', () => {
  it('a 429 to anybody of the consumer puts it off, here and in other replicas', async () => {
    standing();
    context.bitbucket.disturb({
      path: /refs\/tags/,
      status: 429,
      headers: { 'Retry-After': '3000' },
    });
    expect((await vcs.call('get', `${REPO}/tags`, context.pair)).status).toBe(429);
    const other = context.instance({ hooksUrl: HOOKS_URL });
    await branches();
    await branches(other);
    await quiet();
    expect(asked('GET')).toEqual([]);
  });

  it.each([
    [429, 'Rate limit for this resource has been exceeded'],
    [401, 'Token is invalid'],
    [404, 'Not found'],
    [403, 'Forbidden'],
    [500, 'Oops'],
  ])(
    'a %i ends it quietly, after one request and without touching the grant',
    async (status, message) => {
      const hook = standing();
      context.bitbucket.disturb({
        path: /hooks/,
        status,
        headers: { 'Retry-After': '1' },
        body: { type: 'error', error: { message } },
        times: 5,
      });
      const answer = await branches();
      expect(answer.status).toBe(200);
      await waitFor(() => asked('GET').length === 1, { what: 'the listing' });
      await quiet();
      await provesNothingHappensFor(1_200);
      expect(asked('GET')).toHaveLength(1);
      expect(hook.secret).toBeUndefined();
      expect(context.bitbucket.oauth.refreshes).toEqual([]);
      expect(context.logged.filter(({ level }) => Number(level) >= 40)).toEqual([]);
      // What may be otherwise soon is asked again in an hour, the rest tomorrow.
      const [turn = ''] = await vcs.redis.keys('cdsbb:vcs:webhooks-looked-at:*');
      const passes = ![403, 404].includes(status);
      expect((await vcs.redis.ttl(turn)) <= 3_600).toBe(passes);
    },
  );

  it('a missing scope is said once a day, with what to tick', async () => {
    context.bitbucket.disturb({
      path: /hooks/,
      status: 403,
      body: {
        type: 'error',
        error: {
          message: 'Your credentials lack one or more required privilege scopes.',
          detail: { required: ['webhook'], granted: ['account'] },
        },
      },
      times: 5,
    });
    const warnings = () => context.logged.filter(({ msg }) => String(msg).includes('tick'));
    await branches();
    await waitFor(() => warnings().length === 1, { what: 'the warning' });
    context.bitbucket.repositories.push(newRepository('acme', 'gadgets'));
    await vcs.call('get', '/vcs/bitbucketcloud/repos/acme/gadgets/branches', context.pair);
    await waitFor(() => asked('GET').length === 2, { what: 'the other repository' });
    await quiet();
    expect(warnings()).toEqual([
      expect.objectContaining({ level: 40, server: 'bitbucketcloud', repository: 'acme/widgets' }),
    ]);
  });

  it('one webhook that Bitbucket refuses does not keep the others from it', async () => {
    const [first, second] = [standing(), standing()];
    context.bitbucket.disturb({ method: 'PUT', path: /hooks/, status: 400 });
    const metrics = createMetrics({ service: 'vcs' });
    await branches(context.instance({ hooksUrl: HOOKS_URL, metrics }));
    await signed(second);
    expect(first.secret).toBeUndefined();
    await quiet();
    const { text } = await metrics.text();
    expect(text).toContain('cds_vcs_webhook_repairs_total{result="repaired"} 1');
    expect(text).toContain('cds_vcs_webhook_repairs_total{result="failed"} 1');
  });

  it('nothing is repaired without Redis, and the calls of the API go on', async () => {
    const hook = standing();
    await context.redisServer.kill();
    expect((await branches()).status).toBe(200);
    expect((await lookUp(hook.url)).status).toBe(200);
    const created = await put({ url: `${HOOKS_URL}/webhook/${randomUUID()}` });
    expect(created.status).toBe(200);
    await quiet();
    expect(hook.secret).toBeUndefined();
    await context.reviveRedis();

    // What Redis did not take is set again.
    await branches(context.instance({ hooksUrl: HOOKS_URL }));
    await signed(hook);
    const known = await waitFor(
      async () => {
        const all = await vcs.redis.hgetall(vcsKeys.webhooks(WIDGETS));
        return Object.keys(all).length === 2 ? all : undefined;
      },
      { what: 'both webhooks to be known' },
    );
    expect(JSON.parse(String(known[hook.url]))).toMatchObject({
      uuid: hook.uuid,
      key: createWebhookKey(WEBHOOK_KEY).fingerprint,
    });
  });
});
