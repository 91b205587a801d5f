import { startBitbucket, type BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import { startCdsApi, type CdsApiStandIn } from '@cds/stand-ins/cds-api';
import { sendRequest } from '@cds/stand-ins/http';
import { startPage, type Page } from './start-page';

let bitbucket: BitbucketStandIn;
let api: CdsApiStandIn;
let page: Page;

beforeAll(async () => {
  api = await startCdsApi();
  bitbucket = await startBitbucket({ consumer: { callbackUrl: api.callbackUrl } });
  page = await startPage({ bitbucket, api, host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await page.close();
  await Promise.all([api.close(), bitbucket.close()]);
});

const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  sendRequest({
    method,
    url: `http://127.0.0.1:${new URL(page.url).port}${path}`,
    headers,
    timeoutMs: 5_000,
    ...(body === undefined ? {} : { body }),
  });
const push = JSON.stringify({ repo: 'acme/web-shop', branch: 'dev' });

it('obeys curl and its own page, not pages of another origin or name', async () => {
  expect((await ask('POST', '/bitbucket/push', {}, push)).status).toBe(200);
  expect(
    (await ask('POST', '/bitbucket/push', { Origin: page.url, Host: new URL(page.url).host }, push))
      .status,
  ).toBe(200);
  expect(
    (await ask('POST', '/bitbucket/push', { Origin: 'http://evil.example' }, push)).status,
  ).toBe(403);
  expect(
    (await ask('POST', '/bitbucket/push', { 'Sec-Fetch-Site': 'cross-site' }, push)).status,
  ).toBe(403);
  expect((await ask('GET', '/state', { Host: 'evil.example' })).status).toBe(421);
  expect((await ask('GET', '/bitbucket/revokeGrants')).status).toBe(405);
});

it('lets no browser drive the stand-ins under a name that was made to lead here', async () => {
  const asked = (headers: Record<string, string>) =>
    sendRequest({
      method: 'GET',
      url: `${bitbucket.url}/_control/state`,
      headers,
      timeoutMs: 5_000,
    });
  const host = `evil.example:${new URL(bitbucket.url).port}`;
  const rebound = { Host: host, Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' };
  expect((await asked(rebound)).status).toBe(421);
  expect((await asked({ Host: 'sandbox:8090' })).status).toBe(200);
});

it('does not tell what the stand-ins tell of signatures', async () => {
  for (const path of ['/bitbucket/deliveries', '/bitbucket/state', '/cds/state'])
    expect((await ask('POST', path, {}, '{}')).status).toBe(404);
});

it('forbids scripts and styles from elsewhere', async () => {
  const { headers } = await ask('GET', '/');
  expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
});

it('holds no secret of a webhook in what it shows', async () => {
  const secret = 'the-secret-of-the-webhook';
  bitbucket.repository('acme/web-shop').webhooks.set('{w}', {
    uuid: '{w}',
    url: `${api.url}/webhook/x`,
    description: '',
    active: true,
    events: ['repo:push'],
    secret,
    createdAt: '',
  });
  await (
    await bitbucket.push({ repo: 'acme/web-shop', branch: 'dev' })
  ).delivered;
  const signature = bitbucket.deliveries().at(-1)?.headers['X-Hub-Signature'] ?? '';
  expect(signature).toMatch(/^sha256=/);
  const { text } = await ask('GET', '/state');
  expect(text).toContain('"signed":true');
  for (const hidden of [
    secret,
    signature.slice(7),
    bitbucket.consumer.clientSecret,
    api.sharedInfraToken,
  ])
    expect(text).not.toContain(hidden);
});

it('lets 20 pages watch, and tells the next one to wait', async () => {
  const watching = new AbortController();
  const url = `${page.url.replace('localhost', '127.0.0.1')}/events`;
  const answers = [];
  for (let i = 0; i < 21; i += 1) answers.push(await fetch(url, { signal: watching.signal }));
  expect(answers.map(({ status }) => status)).toEqual([...Array<number>(20).fill(200), 503]);
  watching.abort();
});
