import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { captureLogger, describeShared, waitFor } from '@cds/testing';
import { hookKeys, SIGNED_FIELD } from '@cds/hooks-store/keys';
import { signatureOf, webhookSecret } from '@cds/webhook-signature';
import type { NodeHook } from '@cds/wire';
import { TOKEN } from '../../test/cds-api-stand-in';
import { allDone, refsOf } from '../../test/deliveries';
import { plainHook, repositoryHook, signed } from '../../test/node-hooks';
import { errorOf, post, type RunningHooks, type WebhookRequest } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { bitbucketHeaders, pushDelivery } from '../../test/pushes';
import { lookedUp } from '../../test/looked-up';
import { slowRequest } from '../../test/slow-request';

describe('signatures', () => {
  const context = useTestContext();

  const signedField = (hook: NodeHook) =>
    context.redisClient.hget(hookKeys(hook.uuid).task, SIGNED_FIELD);

  async function statusOf(
    hooks: RunningHooks,
    hook: NodeHook,
    request: WebhookRequest,
  ): Promise<number> {
    return (await hooks.webhook(hook.uuid, request)).status;
  }

  function withSignature(request: WebhookRequest, signature: string): WebhookRequest {
    return { ...request, headers: { ...request.headers, 'X-Hub-Signature': signature } };
  }

  it.each(['auto', 'required', 'off'] as const)(
    'takes what is rightly signed (%s)',
    async (signature) => {
      const hooks = await context.start({ signature });
      const [repository, plain] = [repositoryHook(), plainHook({ method: 'GET' })];
      await post(hooks, repository, plain);

      const push = signed(repository, pushDelivery({ push: 'main' }, { tag: 'v1' }));
      expect(await statusOf(hooks, repository, push)).toBe(200);
      expect(await statusOf(hooks, plain, signed(plain, { method: 'GET', query: 'a=1' }))).toBe(
        200,
      );

      await allDone(hooks, repository);
      await waitFor(() => context.api.runs().length === 3);
      expect(refsOf(context, repository)).toEqual(['main', 'v1']);
    },
  );

  const push = pushDelivery({ push: 'forged' });
  const rightFor = (hook: NodeHook) => signed(hook, push).headers?.['X-Hub-Signature'] ?? '';
  const WRONG: [string, (hook: NodeHook) => string][] = [
    ['of another key', (hook) => signatureOf(webhookSecret('x', hook.uuid), bytes(push))],
    ['of another hook', () => signatureOf(webhookSecret(TOKEN, 'x'), bytes(push))],
    ['of another body', (hook) => signatureOf(webhookSecret(TOKEN, hook.uuid), Buffer.of())],
    ['made with the key itself', () => signatureOf(TOKEN, bytes(push))],
    ['empty', () => ''],
    ['cut off', (hook) => rightFor(hook).slice(0, -1)],
    ['of another algorithm', () => `sha1=${'0'.repeat(40)}`],
    ['without an algorithm', (hook) => rightFor(hook).slice('sha256='.length)],
    ['right, but one of two', (hook) => `${rightFor(hook)}, ${rightFor(hook)}`],
    ['of characters that are none', () => `sha256=${'\u00ff'.repeat(64)}`],
    ['endless', () => `sha256=${'0'.repeat(60_000)}`],
  ];

  it.each(WRONG)('refuses a signature %s: nothing is kept, marked or run', async (_, make) => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);

    const response = await hooks.webhook(hook.uuid, withSignature(push, make(hook)));

    expect(response.status).toBe(401);
    expect(await errorOf(response)).toMatchObject({ id: 10, message: 'not authenticated' });
    expect(await hooks.executions(hook.uuid)).toEqual([]);
    expect(await signedField(hook)).toBeNull();
    // Not marked as seen either: the same delivery, rightly signed, is the first one.
    expect(await statusOf(hooks, hook, signed(hook, push))).toBe(200);
    await allDone(hooks, hook);
    expect(refsOf(context)).toEqual(['forged']);
  });

  it('takes several headers for wrong, in whatever order and however often they are right', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const { headers = {}, body = '' } = signed(hook, push);
    const right = headers['X-Hub-Signature'] ?? '';

    for (const values of [
      [right, right],
      [right, ''],
      ['', right],
      ['sha1=0', right],
    ]) {
      const request = await slowRequest(hooks.url);
      request.send(
        [
          `POST /webhook/${hook.uuid} HTTP/1.1`,
          'Host: x',
          'X-Event-Key: repo:push',
          ...values.map((value) => `X-Hub-Signature: ${value}`),
          `Content-Length: ${Buffer.byteLength(body)}`,
          '',
          body,
        ].join('\r\n'),
      );
      expect(await request.answer()).toMatch(/^HTTP\/1.1 401 /);
      request.end();
    }
    expect(await hooks.executions(hook.uuid)).toEqual([]);
  });

  it('says the same whether unsigned, wrong or malformed, and to the byte what CDS says', async () => {
    const hooks = await context.start({ signature: 'required' });
    const hook = repositoryHook();
    await post(hooks, hook);
    const answers = await Promise.all(
      [push, ...WRONG.map(([, make]) => withSignature(push, make(hook)))].map(async (request) => {
        const response = await hooks.webhook(hook.uuid, request);
        const body = (await response.json()) as { uuid: string };
        const headers = Object.fromEntries(response.headers);
        return {
          status: response.status,
          body: { ...body, uuid: '' },
          headers: { ...headers, date: '', 'x-request-id': '' },
        };
      }),
    );

    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({
      status: 401,
      body: { id: 10, message: 'not authenticated', data: null, uuid: '' },
    });
  });

  it('auto: takes unsigned deliveries until the first right signature, on every replica', async () => {
    const [one, other] = [await context.start(), await context.start()];
    const [hook, bystander] = [repositoryHook(), repositoryHook()];
    await post(one, hook, bystander);

    expect(await statusOf(one, hook, pushDelivery({ push: 'unsigned' }))).toBe(200);
    expect(await statusOf(one, hook, withSignature(push, 'sha256='))).toBe(401);
    expect(await statusOf(other, hook, pushDelivery({ push: 'still unsigned' }))).toBe(200);
    expect(await signedField(hook)).toBeNull();
    expect(await statusOf(one, hook, signed(hook, pushDelivery({ push: 'signed' })))).toBe(200);

    for (const hooks of [one, other]) {
      expect(await statusOf(hooks, hook, pushDelivery({ push: 'forged' }))).toBe(401);
      expect(await statusOf(hooks, bystander, pushDelivery({ push: 'of another hook' }))).toBe(200);
    }
    await allDone(one, hook);
    expect(refsOf(context, hook)).toEqual(['unsigned', 'still unsigned', 'signed']);
  });

  it('auto: also remembers a signature of what is ignored, sent again or refused for what it holds', async () => {
    const hooks = await context.start();
    const [ignoring, refusing] = [repositoryHook(), repositoryHook()];
    await post(hooks, ignoring, refusing);
    const event = { headers: bitbucketHeaders('repo:fork'), body: '{}' };
    const noPush = { headers: bitbucketHeaders('repo:push'), body: '{"push":1}' };

    expect(await statusOf(hooks, ignoring, signed(ignoring, event))).toBe(200);
    expect(await statusOf(hooks, refusing, signed(refusing, noPush))).toBe(400);

    expect([await signedField(ignoring), await signedField(refusing)]).toEqual(['1', '1']);
  });

  it('auto: remembers it when the hook is saved again, and forgets it on demand and with the task', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await statusOf(hooks, hook, signed(hook, pushDelivery({ push: 'signed' })));

    await post(hooks, { ...hook, config: repositoryHook({ workflow: 'other' }).config });
    await hooks.call('PUT', `/task/${hook.uuid}`, hook);
    await hooks.call('DELETE', `/task/${hook.uuid}/execution`);
    expect(await statusOf(hooks, hook, pushDelivery({ push: 'forged' }))).toBe(401);

    await context.redisClient.hdel(hookKeys(hook.uuid).task, SIGNED_FIELD);
    expect(await statusOf(hooks, hook, pushDelivery({ push: 'a' }))).toBe(200);
    await statusOf(hooks, hook, signed(hook, pushDelivery({ push: 'b' })));
    await hooks.call('DELETE', `/task/${hook.uuid}`);
    await post(hooks, hook);
    expect(await statusOf(hooks, hook, pushDelivery({ push: 'c' }))).toBe(200);
  });

  it('auto: refuses an unsigned delivery whose body comes after the first right signature', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const { body = '' } = pushDelivery({ push: 'forged' });
    const slow = await slowRequest(hooks.url);
    await lookedUp(context, hook, () =>
      slow.send(
        `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\nX-Event-Key: repo:push\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5).toString()}`,
      ),
    );
    await statusOf(hooks, hook, signed(hook, pushDelivery({ push: 'signed' })));

    slow.send(body.slice(5).toString());

    expect(await slow.answer()).toMatch(/^HTTP\/1.1 401 /);
    slow.end();
    await allDone(hooks, hook);
    expect(refsOf(context)).toEqual(['signed']);
  });

  it('required: takes signed deliveries only, from the first one on and for plain webhooks, too', async () => {
    const hooks = await context.start({ signature: 'required' });
    const [repository, plain] = [repositoryHook(), plainHook({ method: 'GET' })];
    await post(hooks, repository, plain);
    const get = { method: 'GET', query: 'a=1' };

    expect(await statusOf(hooks, repository, pushDelivery({ push: 'main' }))).toBe(401);
    expect(await statusOf(hooks, plain, get)).toBe(401);
    expect(await statusOf(hooks, plain, withSignature(get, 'sha1=00'))).toBe(401);
    expect(await statusOf(hooks, plain, signed(plain, get))).toBe(200);
    expect(await statusOf(hooks, plain, get)).toBe(401);
  });

  it('off: looks at no signature, and remembers none', async () => {
    const hooks = await context.start({ signature: 'off' });
    const hook = repositoryHook();
    await post(hooks, hook);

    const wrong = withSignature(pushDelivery({ push: 'a' }), 'sha256=0');
    expect(await statusOf(hooks, hook, wrong)).toBe(200);
    expect(await statusOf(hooks, hook, signed(hook, pushDelivery({ push: 'b' })))).toBe(200);
    expect(await statusOf(hooks, hook, pushDelivery({ push: 'c' }))).toBe(200);
    expect(await signedField(hook)).toBeNull();
  });

  it('takes what is signed with a key before the present one, while both are configured', async () => {
    const before = await context.start({ webhookKeys: ['old'] });
    const between = await context.start({ webhookKeys: ['new', 'old', 'oldest'] });
    const after = await context.start({ webhookKeys: ['new'] });
    const hook = repositoryHook();
    await post(before, hook);
    const statuses = async (hooks: RunningHooks) => {
      const deliveries = ['new', 'old', 'oldest', TOKEN].map((key) =>
        statusOf(hooks, hook, signed(hook, pushDelivery({ push: key }), key)),
      );
      return Promise.all(deliveries);
    };

    expect(await statuses(before)).toEqual([401, 200, 401, 401]);
    expect(await statuses(between)).toEqual([200, 200, 200, 401]);
    expect(await statuses(after)).toEqual([200, 401, 401, 401]);
  });

  it("leaves the signatures of other senders to a plain webhook's workflow", async () => {
    const hooks = await context.start();
    const [plain, repository] = [plainHook(), repositoryHook()];
    await post(hooks, plain, repository);
    const github = {
      body: '{"zen":"Design for failure."}',
      headers: {
        'Content-Type': 'application/json',
        'X-GitHub-Event': 'ping',
        'X-Hub-Signature': `sha1=${'ab'.repeat(20)}`,
        'X-Hub-Signature-256': `sha256=${'ab'.repeat(32)}`,
      },
    };

    expect(await statusOf(hooks, plain, github)).toBe(200);
    expect(await statusOf(hooks, repository, github)).toBe(401);
    expect(await statusOf(hooks, plain, withSignature(github, ''))).toBe(401);
    // Once somebody signs for it with its secret, everybody has to.
    expect(await statusOf(hooks, plain, signed(plain, { body: '{}' }))).toBe(200);
    expect(await statusOf(hooks, plain, github)).toBe(401);
  });

  it('answers a delivery that it refuses whatever is in it before its body is sent', async () => {
    const hooks = await context.start({ signature: 'required' });
    const hook = repositoryHook();
    await post(hooks, hook);

    for (const header of ['X-Event-Key: repo:push', 'X-Hub-Signature: sha256=0']) {
      const request = await slowRequest(hooks.url);
      request.send(
        `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\n${header}\r\nContent-Length: 1000\r\n\r\n`,
      );
      expect(await request.answer()).toMatch(/^HTTP\/1.1 401 /);
      request.end();
    }
  });

  it('writes nothing of a refused delivery into the log: no header, no body, no secret', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({ webhookKeys: ['KeyThatIsSecret'] }, { logger });
    const hook = repositoryHook();
    await post(hooks, hook);
    const secret = webhookSecret('KeyThatIsSecret', hook.uuid);
    const wrong = signatureOf('guess', Buffer.from('BodyOfAStranger'));

    const response = await hooks.webhook(hook.uuid, {
      headers: { ...bitbucketHeaders('repo:push'), 'X-Hub-Signature': wrong, 'X-Odd': 'OddHeader' },
      body: 'BodyOfAStranger',
    });
    await statusOf(hooks, hook, signed(hook, pushDelivery({ push: 'main' }), 'KeyThatIsSecret'));
    await allDone(hooks, hook);

    expect(response.status).toBe(401);
    expect(lines.filter(({ level }) => Number(level) >= 40)).toContainEqual(
      expect.objectContaining({
        msg: 'delivery refused: it is not authentic',
        hook: hook.uuid,
        address: expect.stringContaining('127.0.0.1'),
        level: 40,
      }),
    );
    const log = JSON.stringify(lines);
    for (const hidden of ['BodyOfAStranger', 'OddHeader', wrong, secret, 'KeyThatIsSecret']) {
      expect(log).not.toContain(hidden);
    }
    const everything = await dump();
    for (const hidden of [secret, 'KeyThatIsSecret']) expect(everything).not.toContain(hidden);
  });

  async function dump(): Promise<string> {
    const keys = await context.redisClient.keys('*');
    const values = await Promise.all(keys.map((key) => context.redisClient.dumpBuffer(key)));
    return keys.join() + values.map((value) => value?.toString('latin1')).join();
  }

  function bytes({ body = '' }: WebhookRequest): Buffer {
    return Buffer.from(body);
  }

  describeShared('a delivery that Bitbucket signed', (root) => {
    const file = join(root, 'contract/webhooks/push/jbs-signed_payload.json');
    const recorded = {
      headers: bitbucketHeaders('repo:push'),
      body: readFileSync(file),
    };

    it('is taken with a signature of the same bytes, and refused with that of another secret', async () => {
      const hooks = await context.start({ signature: 'required' });
      const hook = repositoryHook();
      await post(hooks, hook);
      const recordedSignature =
        'sha256=f205c729821c6954aff2afe72b965c34015b4baf96ea8ddc2cc44999c014a035';

      expect(await statusOf(hooks, hook, withSignature(recorded, recordedSignature))).toBe(401);
      expect(await statusOf(hooks, hook, signed(hook, recorded))).toBe(200);
      await allDone(hooks, hook);
      expect(context.api.runs()).toHaveLength(1);
    });
  });
});
