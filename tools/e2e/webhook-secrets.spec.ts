import { createHmac, randomUUID } from 'node:crypto';
import { waitFor, provesNothingHappensFor } from '@cds/testing';
import type { Delivery } from '@cds/stand-ins/bitbucket';
import {
  bundle,
  callVcs,
  createWorkflow,
  outcomes,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Replica,
  type Stack,
} from './stack.fixture';

const OLD_KEY = 'the-first-key-of-all-webhooks-here';
const NEW_KEY = 'the-next-key-of-all-webhooks-here';

let stack: Stack;
/** Of the tests of one `describe`. */
function startsStack(): void {
  beforeAll(async () => {
    stack = await startStack({ api: { cds: '0.41' } });
  });
  afterAll(() => stack?.stop());
}

/** What the secret is by definition: the lib that makes it is not asked. */
const secretOf = ({ url }: { url: string }, key = stack.settings.token): string =>
  createHmac('sha256', key)
    .update(`cds-webhook:${new URL(url).pathname.split('/').at(-1) ?? ''}`)
    .digest('hex');

const signatureOf = (body: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/** The only webhook of a repository; the very object of the stand-in. */
function theWebhook(repo = REPO) {
  const [webhook, ...others] = stack.bitbucket.repository(repo).webhooks.values();
  if (!webhook || others.length > 0) throw new Error('there is not one webhook');
  return webhook;
}

async function push(
  branch: string,
  repo = REPO,
): Promise<{ delivery: Delivery; outcome: unknown }> {
  const pushed = await stack.bitbucket.push({ repo, branch });
  const [outcome] = await outcomes(pushed);
  const [delivery] = await pushed.delivered;
  if (!delivery) throw new Error('nothing was delivered');
  return { delivery, outcome };
}

/** Sends what was delivered once more, as another delivery, with this signature. */
async function send({ url, headers, body }: Delivery, signature?: string): Promise<Response> {
  const sent = new Headers({ ...headers, 'X-Request-UUID': randomUUID() });
  if (signature === undefined) sent.delete('X-Hub-Signature');
  else sent.set('X-Hub-Signature', signature);
  return fetch(url, { method: 'POST', headers: sent, body });
}

const branches = (repo = REPO) => callVcs(stack, 'GET', `/repos/${repo}/branches`);
const runs = () => stack.api.runs(PROJECT, 'w').map(({ event }) => event.payload['git.branch']);
const listings = (repo: string) =>
  stack.bitbucket.requests
    .entries()
    .filter(
      ({ method, template, url }) =>
        method === 'GET' &&
        template === '/2.0/repositories/:workspace/:slug/hooks' &&
        url.startsWith(`/2.0/repositories/${repo}/`),
    ).length;

/** Ends a service, and starts it anew with another configuration, once the API knows it. */
async function restart(service: Replica, env: Record<string, string>): Promise<Replica> {
  expect(await service.stop()).toBe(0);
  const started = await stack.start(service.name, { env });
  await waitFor(async () => (await fetch(`${started.url}/mon/status`)).ok, {
    what: `${service.name} to be back`,
  });
  return started;
}

// Each with a repository and a workflow of its own.
describe('services without a webhookKey', () => {
  startsStack();
  beforeAll(() => stack.startLinked());

  describe('a webhook that CDS creates', () => {
    it('has a secret made of the token, and only what is signed with it leads to runs', async () => {
      await createWorkflow(stack, 'w');
      expect(theWebhook().secret).toBe(secretOf(theWebhook()));

      const { delivery, outcome } = await push('signed');
      expect(outcome).toBe(200);
      expect(delivery.headers['X-Hub-Signature']).toBe(
        signatureOf(delivery.body, secretOf(theWebhook())),
      );
      await runsOf(stack, 'w', 1);

      const forged = [
        signatureOf(delivery.body, secretOf(theWebhook(), 'guessed')),
        signatureOf(`${delivery.body} `, secretOf(theWebhook())),
        'sha256=',
        'sha1=0',
        undefined,
      ];
      for (const signature of forged) {
        const answer = await send(delivery, signature);
        expect(answer.status).toBe(401);
        expect(await answer.text()).not.toContain(secretOf(theWebhook()));
      }
      // Taken, and known: the same change leads to one run.
      const again = await send(delivery, signatureOf(delivery.body, secretOf(theWebhook())));
      expect(again.status).toBe(200);
      expect((await push('signed-too')).outcome).toBe(200);
      await runsOf(stack, 'w', 2);
      await provesNothingHappensFor(500);
      expect(runs()).toEqual(['signed', 'signed-too']);
    });
  });

  describe('a webhook from before, unsigned or switched off', () => {
    it('is put right after the next call for its repository, once a day', async () => {
      const repo = 'acme/payments';
      await createWorkflow(stack, 'unsigned', repo);
      const webhook = theWebhook(repo);
      delete webhook.secret;
      // Unsigned deliveries are taken until then.
      expect((await push('before', repo)).outcome).toBe(200);
      await runsOf(stack, 'unsigned', 1);
      // The build statuses of that run were calls for the repository, too.
      await waitFor(() => theWebhook(repo).secret, { what: 'the webhook to be signed' });
      expect(theWebhook(repo).secret).toBe(secretOf(webhook));
      expect((await push('after', repo)).outcome).toBe(200);
      await runsOf(stack, 'unsigned', 2);
      const { delivery } = await push('again', repo);
      expect((await send(delivery)).status).toBe(401);

      const before = listings(repo);
      expect(before).toBeGreaterThan(0);
      stack.bitbucket
        .repository(repo)
        .webhooks.set(webhook.uuid, { ...theWebhook(repo), active: false });
      for (let calls = 0; calls < 5; calls += 1) await branches(repo);
      await provesNothingHappensFor(500);
      expect(listings(repo)).toBe(before);
      expect(theWebhook(repo).active).toBe(false);

      // CDS asks for it itself: at once.
      const url = encodeURIComponent(webhook.url);
      const found = await callVcs(stack, 'GET', `/repos/${repo}/hooks?url=${url}`);
      expect(found).toMatchObject({ id: webhook.uuid, disable: false });
      expect(theWebhook(repo)).toMatchObject({ active: true, secret: secretOf(webhook) });
    });

    it('is put right when it is inactive too, one of another CDS is not', async () => {
      const repo = 'jane-doe/web-shop';
      await createWorkflow(stack, 'inactive', repo);
      const { webhooks } = stack.bitbucket.repository(repo);
      const ours = theWebhook(repo);
      const inactive = { ...ours, active: false, events: ['repo:push', 'pullrequest:created'] };
      delete inactive.secret;
      webhooks.set(ours.uuid, inactive);
      const foreign = {
        ...inactive,
        uuid: '{foreign}',
        url: `https://other.example/webhook/${randomUUID()}`,
      };
      webhooks.set(foreign.uuid, foreign);

      await branches(repo);
      const repaired = await waitFor(
        () => {
          const now = webhooks.get(ours.uuid);
          return now?.active ? now : undefined;
        },
        { what: 'the webhook to be active' },
      );
      expect(repaired).toMatchObject({
        secret: secretOf(ours),
        description: ours.description,
        events: ['repo:push', 'pullrequest:created'],
      });
      await provesNothingHappensFor(300);
      expect(webhooks.get('{foreign}')).toEqual(foreign);
    });
  });
});

describe('a webhook that CDS creates', () => {
  startsStack();

  it('by hand gets the secret that engine prints', async () => {
    const env = {
      CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_DISABLEWEBHOOKSCREATION: 'true',
      CDS_VCS_WEBHOOKKEY: NEW_KEY,
      CDS_HOOKS_WEBHOOKKEY: NEW_KEY,
      CDS_HOOKS_SIGNATURE: 'required',
    };
    const { vcs } = await stack.startLinked(env);
    await createWorkflow(stack, 'w');
    const { webhooks } = stack.bitbucket.repository(REPO);
    expect(webhooks.size).toBe(0);
    const [task] = await stack.api.tasks();
    const uuid = task?.uuid ?? '';

    const file = stack.writeFile('cds.toml', configFile(NEW_KEY));
    const engine = await stack.run([bundle('engine'), 'vcs', 'webhook', uuid, '--config', file]);
    expect((await engine.exited).code).toBe(0);
    const printed = (name: string) =>
      new RegExp(`^${name}: (.+)$`, 'm').exec(engine.stdout())?.[1] ?? '';
    const secret = printed('Secret');
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    const logged = `${vcs.process.stdout()}${vcs.process.stderr()}`;
    expect(logged).toContain(`engine vcs webhook ${uuid}`);
    expect(logged).not.toContain(secret);

    webhooks.set('{by-hand}', {
      uuid: '{by-hand}',
      url: printed('URL'),
      description: 'added by hand',
      active: true,
      events: printed('Events').split(', '),
      secret,
      createdAt: new Date().toISOString(),
    });
    expect((await push('by-hand')).outcome).toBe(200);
    await runsOf(stack, 'w', 1);
  });
});

/** One file for both services, as operators have it. */
function configFile(webhookKey: string): string {
  const { redisPort, vcsPort, hooksPort, token, bitbucket } = stack.settings;
  const service = (name: string, port: number): string => `
[${name}]
name = "${name}"
URL = "http://127.0.0.1:${port}"
webhookKey = "${webhookKey}"
${name === 'hooks' ? `urlPublic = "http://127.0.0.1:${hooksPort}"` : ''}
[${name}.api]
token = "${token}"
[${name}.api.http]
url = "${stack.settings.apiUrl}"
[${name}.http]
addr = "127.0.0.1"
port = ${port}
[${name}.cache.redis]
host = "127.0.0.1:${redisPort}"
`;
  return `${service('vcs', vcsPort)}
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "${bitbucket.clientId}"
clientSecret = "${bitbucket.clientSecret}"
apiUrl = "${bitbucket.apiUrl}"
oauthUrl = "${bitbucket.oauthUrl}"
${service('hooks', hooksPort)}`;
}

describe('webhooks of the CDS before, of which nothing is remembered', () => {
  startsStack();

  it('are known by the urlPublic of hooks, where one file configures both', async () => {
    const file = stack.writeFile('cds.toml', configFile(NEW_KEY));
    await stack.run([bundle('vcs'), '--config', file]);
    await stack.registered(1);
    await stack.api.linkProject(PROJECT);
    const url = `http://127.0.0.1:${stack.settings.hooksPort}/webhook/${randomUUID()}`;
    stack.bitbucket.repository(REPO).webhooks.set('{before}', {
      uuid: '{before}',
      url,
      description: 'CDS webhook - ',
      active: true,
      events: ['repo:push'],
      createdAt: new Date().toISOString(),
    });
    await branches();
    await waitFor(() => theWebhook().secret === secretOf({ url }, NEW_KEY), {
      what: 'the webhook to be signed',
    });
  });
});

describe('a new webhookKey', () => {
  startsStack();

  it('reaches the webhooks by itself, and no delivery is refused on the way', async () => {
    const { vcs, hooks } = await stack.startLinked({
      CDS_VCS_WEBHOOKKEY: OLD_KEY,
      CDS_HOOKS_WEBHOOKKEY: OLD_KEY,
      CDS_HOOKS_SIGNATURE: 'required',
    });
    await createWorkflow(stack, 'w');
    expect(theWebhook().secret).toBe(secretOf(theWebhook(), OLD_KEY));
    expect((await push('one')).outcome).toBe(200);
    await runsOf(stack, 'w', 1);

    const newHooks = await restart(hooks, {
      CDS_HOOKS_WEBHOOKKEY: NEW_KEY,
      CDS_HOOKS_PREVIOUSWEBHOOKKEYS: OLD_KEY,
      CDS_HOOKS_SIGNATURE: 'required',
    });
    expect((await push('two')).outcome).toBe(200);
    await runsOf(stack, 'w', 2);
    expect(theWebhook().secret).toBe(secretOf(theWebhook(), OLD_KEY));

    await restart(vcs, { CDS_VCS_WEBHOOKKEY: NEW_KEY });
    await waitFor(branches, { what: 'the API to reach vcs again' });
    await waitFor(() => theWebhook().secret === secretOf(theWebhook(), NEW_KEY), {
      what: 'the new secret',
    });
    expect((await push('three')).outcome).toBe(200);

    await restart(newHooks, {
      CDS_HOOKS_WEBHOOKKEY: NEW_KEY,
      CDS_HOOKS_SIGNATURE: 'required',
    });
    const { delivery, outcome } = await push('four');
    expect(outcome).toBe(200);
    await runsOf(stack, 'w', 4);
    expect(runs()).toEqual(['one', 'two', 'three', 'four']);
    const old = signatureOf(delivery.body, secretOf(theWebhook(), OLD_KEY));
    expect((await send(delivery, old)).status).toBe(401);
  });
});
