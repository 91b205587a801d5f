import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '@cds/testing';
import { getPublicApp } from '../get-app';
import { isWebhookUrl, uuidOfWebhookUrl } from './webhook-router';

describe('the URL of a request', () => {
  let server: Server;
  let taken = 0;

  beforeAll(async () => {
    const app = getPublicApp({
      logger: silentLogger(),
      trustedProxies: [],
      handleWebhook: async (_request, response) => {
        taken += 1;
        response.end();
      },
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.close();
    await once(server, 'close');
  });

  /** @returns whether a route for hooks took it */
  async function isTaken(path: string): Promise<boolean> {
    const before = taken;
    const { port } = server.address() as AddressInfo;
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false }).end();
    const [answer] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
    await once(answer.resume(), 'end');
    return taken > before;
  }

  it.each([
    ['/webhook/a-uuid', true, true],
    ['/webhook/a-uuid?x=/y', true, true],
    ['/webhook/%61-uuid', false, true],
    ['/webhook/a:b', false, true],
    ['http://hooks.example/webhook/a-uuid', false, true],
    ['HTTPS://hooks.example:8083/webhook/a-uuid?x', false, true],
    ['/task', false, false],
    ['/Webhook/a-uuid', false, false],
    ['/x?/webhook/a-uuid', false, false],
    ['http://hooks.example/x/webhook/a-uuid', false, false],
    ['http://hooks.example?/webhook/a-uuid', false, false],
  ])('%s: found by the fast path: %s, and by Express: %s', async (url, byFront, byExpress) => {
    expect(uuidOfWebhookUrl(url) !== undefined).toBe(byFront);
    expect(await isTaken(url)).toBe(byExpress);
    expect(isWebhookUrl(url)).toBe(byExpress);
  });
});
