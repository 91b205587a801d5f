import { connect } from 'node:net';
import { awakeTime, waitFor } from '@cds/testing';
import { nodeHook, plainHook, repositoryHook } from '../../test/node-hooks';
import { errorOf, post, type RunningHooks } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { bitbucketHeaders, pushDelivery } from '../../test/pushes';

describe('webhooks', () => {
  const context = useTestContext();
  let hooks: RunningHooks;

  beforeEach(async () => {
    hooks = await context.start();
  });

  /** Sends bytes as they are and returns all that comes back until the server closes. */
  function raw(text: string, more?: () => string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(hooks.url).port), '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.once('close', () => resolve(received));
      socket.on('error', () => undefined);
      const feed = () => {
        while (more && !socket.destroyed && socket.write(more()));
      };
      socket.on('drain', feed);
      socket.once('connect', () => {
        socket.write(text);
        feed();
      });
    });
  }

  it('answers uuid, type and timestamp, and nothing of the configuration', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);

    const response = await hooks.webhook(hook.uuid, pushDelivery({ push: 'main' }));

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      uuid: hook.uuid,
      type: 'RepoWebHook',
      timestamp: expect.any(Number),
    });
  });

  it('asks for the run that a push calls for', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);

    await hooks.webhook(hook.uuid, pushDelivery({ push: 'main' }));
    const [run] = await waitFor(() =>
      context.api.runs().length > 0 ? context.api.runs() : undefined,
    );

    expect(run).toMatchObject({
      project: 'PROJ',
      workflow: 'wf1',
      hook: {
        uuid: hook.uuid,
        payload: { 'git.branch': 'main', 'git.repository': 'jdoe/repo-0' },
        parent_workflow: { key: '', name: '', run: 0, HookRunID: '' },
      },
    });
    const [execution] = await waitFor(async () => {
      const all = await hooks.executions(hook.uuid);
      return all[0]?.status === 'DONE' ? all : undefined;
    });
    expect(execution).toMatchObject({ nb_errors: 0, workflow_run: 1, status: 'DONE' });
    expect(execution?.processing_timestamp).toBeGreaterThan(0);
    expect(context.api.violations).toEqual([]);
  });

  it('keeps what came in as it came in', async () => {
    const hook = plainHook({ method: 'PUT' });
    await post(hooks, hook);
    const body = Buffer.from([0xff, 0x00, 0x7b]);

    const response = await hooks.webhook(hook.uuid, {
      method: 'PUT',
      query: 'a=1&b=%20',
      headers: { 'Content-Type': 'application/octet-stream', 'x-custom-name': 'v' },
      body,
    });

    expect(response.status).toBe(200);
    const [execution] = await hooks.executions(hook.uuid);
    expect(execution?.webhook).toMatchObject({
      request_url: 'a=1&b=%20',
      request_body: body.toString('base64'),
      request_method: '',
      request_header: {
        'X-Custom-Name': ['v'],
        'Content-Type': ['application/octet-stream'],
        'Content-Length': ['3'],
      },
    });
  });

  it('knows no other hook, method or kind of hook', async () => {
    const hook = plainHook();
    const scheduler = nodeHook('Scheduler', { cron: '* * * * *', project: 'P', workflow: 'w' });
    await post(hooks, hook, scheduler);

    const unknown = await hooks.webhook('11111111-2222-4333-8444-555555555555');
    const odd = await hooks.webhook('a:b');
    const otherMethod = await hooks.webhook(hook.uuid, { method: 'PUT', body: '{}' });
    const patch = await hooks.webhook(hook.uuid, { method: 'PATCH', body: '{}' });
    const notForWebhooks = await hooks.webhook(scheduler.uuid);

    expect([unknown.status, (await errorOf(unknown)).id]).toEqual([404, 38]);
    expect([odd.status, (await errorOf(odd)).id]).toEqual([404, 38]);
    expect([otherMethod.status, (await errorOf(otherMethod)).id]).toEqual([405, 105]);
    expect([patch.status, (await errorOf(patch)).id]).toEqual([405, 105]);
    expect([notForWebhooks.status, (await errorOf(notForWebhooks)).id]).toEqual([405, 105]);
  });

  it('refuses a query that cannot be decoded, for either kind of hook', async () => {
    const [repository, plain] = [repositoryHook(), plainHook({ method: 'GET' })];
    await post(hooks, repository, plain);

    const push = await hooks.webhook(repository.uuid, {
      ...pushDelivery({ push: 'main' }),
      query: '%zz=1',
    });
    const get = await hooks.webhook(plain.uuid, { method: 'GET', query: '%zz=1' });

    expect([push.status, get.status]).toEqual([400, 400]);
    expect((await errorOf(get)).message).toContain('%25');
    expect(await hooks.executions(plain.uuid)).toEqual([]);
  });

  it('records other events as ignored', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);

    const response = await hooks.webhook(hook.uuid, {
      headers: bitbucketHeaders('pullrequest:created'),
      body: '{}',
    });

    expect(response.status).toBe(200);
    expect(await hooks.executions(hook.uuid)).toMatchObject([
      { status: 'DONE', nb_errors: 0, last_error: expect.stringContaining('pullrequest:created') },
    ]);
    expect((await hooks.status()).Queue?.value).toBe('0');
  });

  it.each([
    ['GitHub', { 'X-GitHub-Event': 'push' }],
    ['GitLab', { 'X-Gitlab-Event': 'Push Hook' }],
    ['Bitbucket Server', { 'X-Event-Key': 'repo:refs_changed' }],
  ])('refuses deliveries of %s and says so', async (sender, headers) => {
    const hook = repositoryHook();
    await post(hooks, hook);

    const response = await hooks.webhook(hook.uuid, {
      headers: { 'Content-Type': 'application/json', ...headers } as Record<string, string>,
      body: '{"push":{"changes":[]}}',
    });

    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toContain(sender);
    expect(await hooks.executions(hook.uuid)).toEqual([]);
  });

  it('refuses what is no delivery of Bitbucket and a push that is none', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);

    const noEvent = await hooks.webhook(hook.uuid, { body: '{}' });
    const noPush = await hooks.webhook(hook.uuid, {
      headers: bitbucketHeaders('repo:push'),
      body: '{"push": 1}',
    });

    expect([noEvent.status, noPush.status]).toEqual([400, 400]);
    expect((await errorOf(noEvent)).message).toContain('X-Event-Key');
  });

  it('judges a delivery by the kind of its hook, whatever its headers say', async () => {
    const plain = plainHook();
    await post(hooks, plain);

    const response = await hooks.webhook(plain.uuid, {
      headers: bitbucketHeaders('repo:push'),
      body: '{"a": 1}',
    });

    expect(response.status).toBe(200);
    const [run] = await waitFor(() =>
      context.api.runs().length > 0 ? context.api.runs() : undefined,
    );
    expect(run?.hook.payload).toMatchObject({ a: '1' });
  });

  it('refuses a body over 1 MiB by its length, without reading it', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);

    const answer = await raw(
      `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\nContent-Length: ${1024 * 1024 + 1}\r\n\r\n`,
    );

    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"id":74');
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it('stops reading a chunked body that never ends', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;

    const answer = await raw(
      `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
      () => chunk,
    );

    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('takes a body of exactly 1 MiB', async () => {
    const hook = plainHook();
    await post(hooks, hook);

    const response = await hooks.webhook(hook.uuid, { body: 'x'.repeat(1024 * 1024) });

    expect(response.status).toBe(200);
  });

  it('numbers deliveries that arrive at the same moment', async () => {
    const hook = plainHook({ method: 'GET' });
    await post(hooks, hook);

    const answers = await Promise.all(
      Array.from({ length: 30 }, () => hooks.webhook(hook.uuid, { method: 'GET' })),
    );
    const timestamps = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as { timestamp: number }).timestamp),
    );

    expect(new Set(timestamps).size).toBe(30);
  });

  it('answers 503 within 2 s while Redis is frozen, and works again after', async () => {
    const hook = plainHook();
    await post(hooks, hook);
    context.redis.freeze();
    try {
      const asking = hooks.webhook(hook.uuid, { body: '{}' });
      expect(await awakeTime(() => asking)).toBeLessThan(2_000);
      const response = await asking;
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await hooks.status()).Redis?.status).toBe('AL');
    } finally {
      context.redis.thaw();
    }
    await waitFor(async () => (await hooks.webhook(hook.uuid, { body: '{}' })).status === 200);
  });

  it('answers 503 at once while Redis is away, on every route, and comes back', async () => {
    const hook = plainHook();
    await post(hooks, hook);
    await context.redis.kill();
    try {
      const statuses: number[] = [];
      const took = await awakeTime(async () => {
        statuses.push((await hooks.webhook(hook.uuid, { body: '{}' })).status);
        statuses.push((await hooks.call('GET', `/task/${hook.uuid}`)).status);
        statuses.push((await hooks.call('GET', '/task')).status);
      });
      expect(statuses).toEqual([503, 503, 503]);
      expect(took).toBeLessThan(2_000);
    } finally {
      await context.redis.start();
    }
    await waitFor(async () => (await hooks.webhook(hook.uuid, { body: '{}' })).status === 200);
    await waitFor(() => context.api.runs().length > 0);
  });

  it('answers 503 when Redis is out of memory', async () => {
    const hook = plainHook();
    await post(hooks, hook);
    const { Redis } = await import('ioredis');
    const admin = new Redis(context.redis.url);
    try {
      await admin.config('SET', 'maxmemory', '1');
      const response = await hooks.webhook(hook.uuid, { body: '{}' });

      expect(response.status).toBe(503);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
      admin.disconnect();
    }
  });
});
