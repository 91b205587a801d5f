import { Redis } from 'ioredis';
import { startOtlpReceiver, waitFor, type OtlpReceiver, type ReceivedSpan } from '@cds/testing';
import { createSecretSearch } from './secret-search.fixture';
import {
  createWorkflow,
  outcomes,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Replica,
  type Stack,
} from './stack.fixture';

const STRANGER = '0af7651916cd43dd8448eb211c80319c';
const OF_THE_API = '4bf92f3577b34da6a3ce929d0e0e4736';
const STATUS = 'POST /repositories/{workspace}/{repo_slug}/commit/{commit}/statuses/build';
const RUN = 'POST /project/{key}/workflows/{name}/runs';
const SECRETS = new Map([
  ['header of the export', 'canary-key-of-the-collector'],
  ['client secret', 'canary-client/secret+%=&"x"'],
  ['key of webhooks', 'canary webhook "key" /+%'],
  ['query of a delivery', 'canary-in-the-query'],
  ['header of a delivery', 'canary-in-a-header'],
  ['body of a delivery', 'canary-in-the-body'],
  ['message of a commit', 'canary-in-a-commit'],
]);
const secret = (name: string) => SECRETS.get(name) ?? '';

let receiver: OtlpReceiver;
let stack: Stack;
let redis: Redis;
let vcs: Replica;
let hooks: Replica;
const logs: string[] = [];

const common = () => ({
  CDS_LOG_LEVEL: 'debug',
  CDS_VCS_WEBHOOKKEY: secret('key of webhooks'),
  CDS_HOOKS_WEBHOOKKEY: secret('key of webhooks'),
});
const traced = () => ({
  ...common(),
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_HEADERS: `api-key=${secret('header of the export')}`,
  OTEL_BSP_SCHEDULE_DELAY: '20',
});

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  stack = await startStack({
    api: { cds: '0.41' },
    bitbucket: { consumer: { clientSecret: secret('client secret') } },
  });
  redis = new Redis(stack.redis.port);
  SECRETS.set('token of the API', stack.settings.token);
  rememberTokens();
  // Accepted deliveries wait.
  ({ vcs, hooks } = await stack.startLinked({ ...traced(), CDS_HOOKS_DISABLE: 'true' }));
});
afterAll(async () => {
  redis?.disconnect();
  await stack?.stop();
  await receiver?.stop();
});

/** Every token that Bitbucket issues. */
function rememberTokens(): void {
  const { oauth } = stack.bitbucket;
  const { exchangeCode, refresh } = oauth;
  const remember = (answer: ReturnType<typeof refresh>) => {
    SECRETS.set(`access token ${SECRETS.size}`, answer.access_token);
    SECRETS.set(`refresh token ${SECRETS.size}`, answer.refresh_token);
    return answer;
  };
  oauth.exchangeCode = (code) => remember(exchangeCode(code));
  oauth.refresh = (token) => remember(refresh(token));
}

function span(what: string, matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
  return waitFor(() => receiver.spans().find(matches), { what: `the span of ${what}` });
}

async function end(replica: Replica, signal?: NodeJS.Signals): Promise<void> {
  await replica.stop(signal);
  logs.push(replica.process.stdout(), replica.process.stderr());
}

/** All hashes in Redis, as JSON. */
async function storedHashes(): Promise<string> {
  const keys = await redis.keys('*');
  const types = await Promise.all(keys.map((key) => redis.type(key)));
  const hashes = keys.filter((_, index) => types[index] === 'hash');
  return JSON.stringify(await Promise.all(hashes.map((key) => redis.hgetall(key))));
}

/** The lines of all logs with this message. */
function lines(message: string, of: Replica): Record<string, unknown>[] {
  return `${logs.join('\n')}\n${of.process.stdout()}`
    .split('\n')
    .filter((line) => line.includes(`"msg":"${message}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('with a collector', () => {
  it('one trace leads from a delivery over a crash of hooks to the status at Bitbucket', async () => {
    await createWorkflow(stack, 'traced');
    const message = `${secret('message of a commit')}\n`;
    const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'feature/x', message });
    expect(await outcomes(pushed)).toEqual([200]);
    const delivery = await span('the delivery', ({ name }) => name === 'POST /webhook/{uuid}');
    await end(hooks, 'SIGKILL');
    hooks = await stack.start('hooks', { env: traced() });

    await runsOf(stack, 'traced', 1);
    const { traceId } = delivery;
    const status = await span(
      'the status of success',
      (one) =>
        one.name === 'send build status' &&
        one.attributes['bitbucket.status.state'] === 'SUCCESSFUL',
    );
    const call = await span('the call of Bitbucket', (one) => one.parentSpanId === status.spanId);
    const run = await span('the run', ({ name }) => name === RUN);
    const work = await span('the work', ({ spanId }) => spanId === run.parentSpanId);

    const ofHooks = { resource: expect.objectContaining({ 'service.name': 'cds-hooks' }), traceId };
    const ofVcs = { resource: expect.objectContaining({ 'service.name': 'cds-vcs' }), traceId };
    expect(delivery).toMatchObject({
      ...{ ...ofHooks, kind: 'server', parentSpanId: undefined, hasFailed: false },
      attributes: { 'http.response.status_code': 200, 'cds.delivery.result': 'accepted' },
    });
    expect(work).toMatchObject({
      ...{ ...ofHooks, kind: 'consumer', parentSpanId: delivery.spanId },
      attributes: { 'cds.project': PROJECT, 'cds.workflow': 'traced' },
    });
    // It has waited while no hooks was there.
    expect(work.attributes['cds.execution.waited_ms']).toBeGreaterThan(0);
    expect(await storedHashes()).toContain(
      `"traceparent\\":\\"00-${traceId}-${delivery.spanId}-01`,
    );
    expect(run).toMatchObject({
      ...{ ...ofHooks, kind: 'client' },
      attributes: { 'cds.project': PROJECT, 'cds.workflow': 'traced', 'cds.run.number': 1 },
    });
    expect(status).toMatchObject({
      ...{ ...ofVcs, parentSpanId: run.spanId },
      attributes: { 'cds.run.number': 1, 'vcs.ref.head.revision': pushed.hash },
    });
    expect(call).toMatchObject({
      ...{ ...ofVcs, name: STATUS, kind: 'client' },
      attributes: { 'http.request.method': 'POST', 'http.response.status_code': 200 },
    });
    // The call of the API that led to it is in a trace of its own, for this API hands none on.
    const [request = ''] = status.linkedTraces;
    expect(request).not.toBe(traceId);
    expect(
      await span('the call of the API', (one) => one.traceId === request && one.kind === 'server'),
    ).toMatchObject({ name: 'POST /vcs/:name/status' });

    const asked = stack.api.requests.entries().find(({ url }) => url.endsWith('/traced/runs'));
    expect(asked?.trace).toEqual({
      traceparent: `00-${traceId}-${run.spanId}-01`,
      'x-b3-traceid': traceId,
      'x-b3-spanid': run.spanId,
      'x-b3-sampled': '1',
    });
    expect(lines('delivery accepted', hooks)).toMatchObject([
      { trace_id: traceId, span_id: delivery.spanId },
    ]);
    expect(lines('a run was started', hooks)).toMatchObject([{ trace_id: traceId }]);
    expect(receiver.violations()).toEqual([]);
  });

  it('a stranger joins no trace, and what is refused has none', async () => {
    const { hook } = await stack.api.workflows.createWebhookWorkflow({
      project: PROJECT,
      name: 'plain',
    });
    const url = hook.config['webHookURL']?.value ?? '';
    const send = (to: string) =>
      fetch(`${to}?token=${secret('query of a delivery')}`, {
        method: 'POST',
        headers: {
          traceparent: `00-${STRANGER}-b7ad6b7169203331-01`,
          Authorization: secret('header of a delivery'),
          'Content-Type': 'application/json',
        },
        body: JSON.stringify({ key: secret('body of a delivery') }),
      });
    expect((await send(`${url}0`)).status).toBe(404);
    expect((await send(url)).status).toBe(200);

    const delivery = await span('the delivery', ({ linkedTraces }) =>
      linkedTraces.includes(STRANGER),
    );
    expect(delivery).toMatchObject({ kind: 'server', parentSpanId: undefined });
    await span('its run', ({ name, traceId }) => name === RUN && traceId === delivery.traceId);
    expect(receiver.spans().filter(({ traceId }) => traceId === STRANGER)).toEqual([]);
    expect(
      receiver.spans().filter(({ attributes: of }) => of['http.response.status_code'] === 404),
    ).toEqual([]);
  });

  it('a call of the API goes on in its trace, in B3 as CDS sends it, and a stranger at vcs has none', async () => {
    const [service] = stack.api.services().filter(({ type }) => type === 'vcs');
    const ask = (traceId: string, hash: string) =>
      fetch(`${vcs.url}/vcs`, {
        headers: {
          X_AUTH_HEADER: Buffer.from(hash).toString('base64'),
          ...{ 'X-B3-TraceId': traceId, 'X-B3-SpanId': 'b7ad6b7169203331', 'X-B3-Sampled': '1' },
        },
      });
    expect((await ask(STRANGER, 'wrong')).status).toBe(401);
    expect((await ask(OF_THE_API, service?.hash ?? '')).status).toBe(200);
    expect(await span('the call', ({ traceId }) => traceId === OF_THE_API)).toMatchObject({
      ...{ name: 'GET /vcs', kind: 'server', parentSpanId: 'b7ad6b7169203331' },
      attributes: { 'http.route': '/vcs', 'http.response.status_code': 200 },
    });
    expect(receiver.spans().filter(({ traceId }) => traceId === STRANGER)).toEqual([]);
  });

  it('nothing secret is in a span or a log, and the last spans come when a service ends', async () => {
    await end(vcs);
    await end(hooks);
    for (const { hash, name } of stack.api.services()) SECRETS.set(`hash of ${name}`, hash);
    for (const { url, secret: key } of stack.bitbucket.repository(REPO).webhooks.values())
      SECRETS.set(`secret of ${url.slice(-8)}`, key ?? '');
    expect([...SECRETS.keys()].join()).toContain('access token');
    const searchIn = createSecretSearch(SECRETS);
    expect(receiver.requests().length).toBeGreaterThan(2);
    expect(
      receiver
        .requests()
        .every(({ headers }) => headers['api-key'] === secret('header of the export')),
    ).toBe(true);
    for (const { body } of receiver.requests()) expect(searchIn('a span', body)).toEqual([]);
    const exportKey = new Map([['key', secret('header of the export')]]);
    expect(createSecretSearch(exportKey)('the log', logs.join('\n'))).toEqual([]);
    expect(receiver.violations()).toEqual([]);
  });
});

describe('without one', () => {
  it('nothing is exported, stored or sent to the API', async () => {
    await redis.flushall();
    stack.api.requests.clear();
    const before = receiver.requests().length;
    vcs = await stack.start('vcs', { env: common() });
    hooks = await stack.start('hooks', { env: common() });
    await waitFor(
      async () =>
        (await stack.api.tasks().catch(() => [])).some(({ type }) => type === 'RepoWebHook'),
      { what: 'the tasks' },
    );
    const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'feature/y' });
    expect(await outcomes(pushed)).toEqual([200]);
    await runsOf(stack, 'traced', 2);

    expect(await storedHashes()).toContain('accepted_at');
    expect(await storedHashes()).not.toContain('traceparent');
    expect((await redis.keys('*')).filter((key) => key.includes('trace'))).toEqual([]);
    expect(stack.api.requests.entries().filter(({ trace }) => trace)).toEqual([]);
    expect(receiver.requests()).toHaveLength(before);
    expect(hooks.process.stdout()).not.toMatch(/trace_id|OpenTelemetry|traces are/);
  });
});
