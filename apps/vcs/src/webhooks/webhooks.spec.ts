import { vcsKeys } from '@cds/redis';
import { useTestContext, type VcsInstance } from '../../test/test-context.fixture';

const HOOKS = '/vcs/bitbucketcloud/repos/acme/widgets/hooks';
const UUID = 'a64f7a38-1ffb-460e-b058-89f4e5b03359';
const URL_OF_HOOK = `https://hooks.acme.example/webhook/${UUID}`;
const QUERY = `?url=${encodeURIComponent(URL_OF_HOOK)}`;

const context = useTestContext();
let vcs: VcsInstance;

beforeEach(() => {
  vcs = context.instance();
});

function hook(change: object = {}) {
  return {
    id: '',
    name: '',
    events: null,
    method: 'POST',
    url: URL_OF_HOOK,
    content_type: '',
    body: '',
    disable: false,
    insecure_ssl: false,
    workflow: true,
    ...change,
  };
}

const send = (method: 'post' | 'put', body: object, instance = vcs) =>
  instance.call(method, HOOKS, context.pair).send(body);

describe('what may be done with webhooks', () => {
  it('is told with the events that CDS is offered', async () => {
    const { body } = await vcs.call('get', '/vcs/bitbucketcloud/webhooks');
    expect(body).toMatchObject({
      webhooks_supported: true,
      webhooks_disabled: false,
      webhooks_creation_supported: true,
      webhooks_creation_disabled: false,
      webhooks_icon: 'Bitbucket',
      gerrithook_disabled: true,
    });
    expect(body.events).toHaveLength(23);
    expect(body.events).toContain('repo:push');
  });

  it('follows the configuration', async () => {
    const server = { disableWebHooks: true, disableWebHooksCreation: true };
    const { body } = await context.instance({ server }).call('get', '/vcs/bitbucketcloud/webhooks');
    expect(body).toMatchObject({ webhooks_disabled: true, webhooks_creation_disabled: true });
  });
});

describe('creating a webhook', () => {
  it('subscribes to pushes and answers the hook with its id', async () => {
    const answer = await send('post', hook());
    const [created] = context.widgets.hooks;

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(hook({ id: created?.uuid }));
    expect(created).toMatchObject({
      url: URL_OF_HOOK,
      description: 'CDS webhook - ',
      events: ['repo:push'],
      active: true,
    });
  });

  it('twice leaves one, put right', async () => {
    const first = await send('post', hook());
    Object.assign(context.widgets.hooks[0] ?? {}, { active: false, events: [] });
    const second = await send('post', hook({ name: 'named' }));

    expect(second.body.id).toBe(first.body.id);
    expect(context.widgets.hooks).toEqual([
      expect.objectContaining({
        active: true,
        events: ['repo:push'],
        description: 'CDS webhook - named',
      }),
    ]);
  });

  it('leaves one with its URL, the signed one, and touches no other', async () => {
    const duplicates = [{ secret: '' }, { secret: 'is set' }, { active: false, secret: '' }];
    const standing = [
      ...duplicates.map((change, index) => ({
        uuid: `{double-${index}}`,
        url: URL_OF_HOOK,
        ...change,
      })),
      { uuid: '{slash}', url: `${URL_OF_HOOK}/` },
      { uuid: '{query}', url: `${URL_OF_HOOK}?x=1` },
      { uuid: '{other}', url: 'https://hooks.acme.example/webhook/other' },
    ];
    for (const change of standing)
      context.widgets.hooks.push({
        ...{ description: 'by hand', active: true, events: ['repo:push'] },
        ...change,
      });
    expect((await send('post', hook())).body.id).toBe('{double-1}');
    expect(context.widgets.hooks.map(({ uuid }) => uuid)).toEqual([
      '{double-1}',
      '{slash}',
      '{query}',
      '{other}',
    ]);
  });

  it('from everywhere at once leaves one', async () => {
    const replicas = [vcs, context.instance()];
    context.bitbucket.latencyMs = 30;
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => send('post', hook(), replicas[index % 2])),
    );

    expect(context.widgets.hooks).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
  });

  it('subscribes to the events that are named, and answers those in force', async () => {
    const events = ['repo:push', 'pullrequest:created', 'repo:push'];
    const answer = await send('post', hook({ events }));

    expect(answer.body.events).toEqual(['repo:push', 'pullrequest:created']);
    expect(context.widgets.hooks[0]?.events).toEqual(['repo:push', 'pullrequest:created']);
  });

  it('without events means repo:push; CDS from 0.42 on is told so', async () => {
    const answer = await send(
      'post',
      hook({ events: [] }),
      context.instance({ apiVersion: [0, 42] }),
    );
    expect(answer.body.events).toEqual(['repo:push']);
  });

  it('refuses events that Bitbucket Cloud does not have, naming them', async () => {
    const answer = await send('post', hook({ events: ['repo:push', 'push', 'tag_push'] }));
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('"push", "tag_push"');
    expect(context.bitbucket.requests).toHaveLength(0);
  });

  it.each([{ url: '' }, { url: 'not a url' }, { url: 'ftp://x/y' }, { events: 'repo:push' }])(
    'refuses %j',
    async (change) => {
      expect((await send('post', hook(change))).body.id).toBe(74);
      expect(context.bitbucket.requests).toHaveLength(0);
    },
  );

  it('is forbidden where webhooks are disabled', async () => {
    const disabled = context.instance({ server: { disableWebHooks: true } });
    const answer = await send('post', hook(), disabled);
    expect(answer.status).toBe(403);
    expect(answer.body.id).toBe(11);
    expect(answer.body.message).toContain('disableWebHooks');
    expect(context.bitbucket.requests).toHaveLength(0);
  });
});

describe('updating a webhook', () => {
  it('by its id puts it in force and answers the events', async () => {
    const { body } = await send('post', hook());
    const answer = await send('put', hook({ id: body.id, events: ['pullrequest:created'] }));

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(hook({ id: body.id, events: ['pullrequest:created'] }));
    expect(context.widgets.hooks).toHaveLength(1);
    expect(context.widgets.hooks[0]?.events).toEqual(['pullrequest:created']);
  });

  it('without an id finds it by its URL', async () => {
    await send('post', hook());
    const answer = await send('put', hook({ events: null }));
    expect(answer.body.events).toEqual(['repo:push']);
    expect(answer.body.id).toBe(context.widgets.hooks[0]?.uuid);
  });

  it('that somebody deleted creates it again', async () => {
    const answer = await send('put', hook({ id: '{gone}' }));
    expect(answer.status).toBe(200);
    expect(context.widgets.hooks).toHaveLength(1);
    expect(answer.body.id).toBe(context.widgets.hooks[0]?.uuid);
  });
});

describe('finding a webhook', () => {
  it('answers what Bitbucket has', async () => {
    const { body } = await send('post', hook({ name: 'n' }));
    expect((await vcs.call('get', HOOKS + QUERY, context.pair)).body).toEqual({
      ...hook({ id: body.id, name: 'CDS webhook - n', events: ['repo:push'] }),
      method: '',
      workflow: false,
    });
  });

  it('looks through all pages', async () => {
    for (let index = 0; index < 150; index += 1)
      context.widgets.hooks.push({
        uuid: `{${index}}`,
        url: `${URL_OF_HOOK}${index}`,
        description: '',
        active: true,
        events: [],
      });
    const url = encodeURIComponent(`${URL_OF_HOOK}149`);
    expect((await vcs.call('get', `${HOOKS}?url=${url}`, context.pair)).status).toBe(200);
  });

  it('that is unknown is 404', async () => {
    const answer = await vcs.call('get', `${HOOKS}?url=http%3A%2F%2Fx`, context.pair);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ id: 38, message: 'resource not found' });
  });
});

describe('deleting a webhook', () => {
  const remove = (query: string, instance = vcs) =>
    instance.call('delete', HOOKS + query, context.pair);

  it('by its id', async () => {
    const { body } = await send('post', hook());
    const answer = await remove(`${QUERY}&id=${body.id}`);
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(context.widgets.hooks).toEqual([]);
  });

  it('by its id, with bare braces as CDS sends it, costs no other call', async () => {
    const { body } = await send('post', hook());
    context.bitbucket.requests.length = 0;
    const answer = await remove(`${QUERY}&id=${body.id}`);
    expect(body.id).toMatch(/^\{.*\}$/);
    expect(answer.status).toBe(204);
    expect(context.bitbucket.requests.map(({ method }) => method)).toEqual(['DELETE']);
  });

  it('by its URL', async () => {
    await send('post', hook());
    expect((await remove(QUERY)).status).toBe(204);
    expect(context.widgets.hooks).toEqual([]);
  });

  it('takes all that have its URL, also where the API names one that is gone', async () => {
    for (const uuid of ['{one}', '{other}'])
      context.widgets.hooks.push({
        ...{ uuid, url: URL_OF_HOOK, description: '', active: true, events: ['repo:push'] },
      });
    const answer = await vcs.call('delete', `${HOOKS}${QUERY}&id=%7Bgone%7D`, context.pair);
    expect(answer.status).toBe(204);
    expect(context.widgets.hooks).toEqual([]);
  });

  it('that is gone already succeeds', async () => {
    expect((await remove(`?id=${encodeURIComponent('{gone}')}`)).status).toBe(204);
    expect((await remove(QUERY)).status).toBe(204);
  });

  it('needs a name', async () => {
    expect((await remove('')).status).toBe(400);
  });
});

it('proxyWebhook is what Bitbucket gets, and CDS never sees it', async () => {
  const proxied = context.instance({ server: { proxyWebhook: 'https://proxy.acme.example' } });
  const created = await send('post', hook(), proxied);
  expect(context.widgets.hooks[0]?.url).toBe(`https://proxy.acme.example/${UUID}`);
  expect(created.body.url).toBe(URL_OF_HOOK);

  await send('post', hook(), proxied);
  await send('put', hook(), proxied);
  expect(context.widgets.hooks).toHaveLength(1);

  const found = await proxied.call('get', HOOKS + QUERY, context.pair);
  expect(found.body).toMatchObject({ id: created.body.id, url: URL_OF_HOOK });

  await proxied.call('delete', HOOKS + QUERY, context.pair);
  expect(context.widgets.hooks).toEqual([]);
});

describe('disableWebHooksCreation', () => {
  const server = { disableWebHooksCreation: true, proxyWebhook: 'https://proxy.acme.example' };

  it('asks a person: an empty id, no call to Bitbucket, the log and Redis say what to add', async () => {
    const manual = context.instance({ server });
    const answer = await send('post', hook({ events: ['pullrequest:created'] }), manual);
    const webhook = {
      repository: 'acme/widgets',
      url: `https://proxy.acme.example/${UUID}`,
      events: ['pullrequest:created'],
    };

    expect(answer.status).toBe(200);
    expect(answer.body.id).toBe('');
    expect(context.bitbucket.requests).toHaveLength(0);
    expect(JSON.parse(String(await manual.redis.get(vcsKeys.manualWebhook(UUID))))).toEqual(
      webhook,
    );
    expect(context.logged).toContainEqual(
      expect.objectContaining({ ...webhook, msg: expect.stringContaining('by hand') }),
    );
  });

  it('asks to remove it by hand as well', async () => {
    const manual = context.instance({ server });
    await send('post', hook(), manual);
    const answer = await manual.call('delete', `${HOOKS}${QUERY}&id=`, context.pair);

    expect(answer.status).toBe(204);
    expect(context.bitbucket.requests).toHaveLength(0);
    expect(await manual.redis.exists(vcsKeys.manualWebhook(UUID))).toBe(0);
  });

  it('still updates and deletes those that were created before', async () => {
    const { body } = await send('post', hook());
    const manual = context.instance({ server: { disableWebHooksCreation: true } });
    await send('put', hook({ id: body.id, events: ['repo:fork'] }), manual);
    expect(context.widgets.hooks[0]?.events).toEqual(['repo:fork']);
    await manual.call('delete', `${HOOKS}?id=${body.id}`, context.pair);
    expect(context.widgets.hooks).toEqual([]);
  });

  it('creates none either for an update of one that is gone', async () => {
    const manual = context.instance({ server });
    const answer = await send('put', hook({ id: '{gone}' }), manual);

    expect(answer.status).toBe(200);
    expect(answer.body.id).toBe('');
    expect(context.widgets.hooks).toEqual([]);
    expect(await manual.redis.exists(vcsKeys.manualWebhook(UUID))).toBe(1);
  });

  it('does not depend on Redis', async () => {
    const manual = context.instance({ server });
    await context.redisServer.kill();
    expect((await send('post', hook(), manual)).status).toBe(200);
    await context.reviveRedis();
  });
});
