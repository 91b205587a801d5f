import { randomUUID } from 'node:crypto';
import { vcsKeys } from '@cds/redis';
import { waitFor } from '@cds/testing';
import { webhookSecret } from '@cds/webhook-signature';
import type { Redis } from 'ioredis';
import {
  projectHeaders,
  useTestContext,
  WEBHOOK_KEY,
  type VcsInstance,
} from '../../test/test-context.fixture';

const REPO = '/vcs/bbc/repos/acme/widgets';
const USER = 'jdoe@example.com';
const TOKEN = 'ATATT3xFfGF0-an-api-token';

const context = useTestContext({ lookedAtWebhooks: false });

beforeEach(() => void context.bitbucket.apiTokens.set(TOKEN, USER));

function ask(vcs: VcsInstance, method: 'get' | 'post', path: string) {
  const { apiUrl: urlApi } = context.bitbucket;
  return vcs.call(method, path).set(projectHeaders({ urlApi, username: USER, token: TOKEN }));
}

/** Every key, and what it holds. A key may end between two reads. */
async function everythingIn(redis: Redis): Promise<string> {
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    zset: (key) => redis.zrange(key, '0', '-1'),
    none: async () => undefined,
  };
  const held = (await redis.keys('*')).map(async (key) => {
    const type = await redis.type(key);
    const reader = read[type];
    if (!reader) throw new Error(`nothing reads a ${type}`);
    return [key, await reader(key)];
  });
  return JSON.stringify(await Promise.all(held));
}

it('webhooks are repaired after an answer, with the credential of that call', async () => {
  const hooksUrl = 'https://hooks.acme.example';
  const vcs = context.instance({ withoutServers: true, hooksUrl });
  const uuid = randomUUID();
  const hook = {
    uuid: `{${randomUUID()}}`,
    url: `${hooksUrl}/webhook/${uuid}`,
    description: 'CDS webhook - build',
    active: true,
    events: ['repo:push'],
    secret: '',
  };
  context.widgets.hooks.push(hook);
  await ask(vcs, 'get', REPO).expect(200);
  await waitFor(() => hook.secret === webhookSecret(WEBHOOK_KEY, uuid));
  for (const { user, token } of context.bitbucket.requests)
    expect([user, token]).toEqual([USER, TOKEN]);
});

describe('a build whose end was never told', () => {
  /** CDS 0.51: an event. */
  const started = {
    type_event: 'sdk.EventRunWorkflowNode',
    project_key: 'PROJ',
    workflow_name: 'build-all',
    payload: {
      Number: 1,
      SubNumber: 0,
      NodeName: 'compile',
      Status: 'Building',
      BranchName: 'main',
      RepositoryFullName: 'acme/widgets',
    },
  };
  const api = { nodeRun: async () => ({ subNumber: 0, status: 'Success' }) };
  const states = () =>
    context.bitbucket.requests
      .filter(({ method, path }) => method === 'POST' && path.includes('/statuses/'))
      .map(({ body }) => (body as { state: string }).state);

  it('ends at the next call with its credential: nothing stores that', async () => {
    const hash = String(context.widgets.commits[0]?.hash);
    const event = { ...started, payload: { ...started.payload, Hash: hash } };
    await ask(context.instance({ withoutServers: true }), 'post', '/vcs/bbc/status')
      .send(event)
      .expect(204);
    expect(states()).toEqual(['INPROGRESS']);

    const next = context.instance({ withoutServers: true, api });
    const [id = ''] = await next.redis.zrange(vcsKeys.unfinished, '0', '-1');
    const record = vcsKeys.unfinishedStatus(id);
    const status = JSON.parse((await next.redis.get(record)) ?? '') as object;
    // The older it is, the longer it would wait by itself.
    const since = Date.now() - 20 * 60_000;
    await next.redis.set(record, JSON.stringify({ ...status, since }));
    next.app.start();
    const asked = await next.redis.zscore(vcsKeys.unfinished, id);
    await waitFor(async () => (await next.redis.zscore(vcsKeys.unfinished, id)) !== asked, {
      what: 'the look of the next process',
    });
    expect(states()).toEqual(['INPROGRESS']);
    const stored = await everythingIn(next.redis);
    expect(stored).toContain('vcs-project:');
    for (const secret of [TOKEN, USER, Buffer.from(`${USER}:${TOKEN}`).toString('base64')])
      expect(stored + JSON.stringify(context.logged)).not.toContain(secret);

    await ask(next, 'get', REPO).expect(200);
    await waitFor(() => states().length === 2, { what: 'the end' });
    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
    expect(context.bitbucket.requests.at(-1)?.token).toBe(TOKEN);
  });
});
