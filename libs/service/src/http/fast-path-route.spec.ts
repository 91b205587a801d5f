import supertest from 'supertest';
import { captureLogger } from '@cds/testing';
import { createFastPathRoute, sendJson } from '../index';

const match = (url: string): string | undefined => /^\/fast\/(\w+)/.exec(url)?.[1];

function build(options: { trustedProxies?: string[]; fail?: unknown } = {}) {
  const { logger, lines } = captureLogger();
  const fastPath = createFastPathRoute({
    app: (_request, response) => sendJson(response, 200, { by: 'app' }),
    match,
    async handle(_request, response, matched) {
      if (options.fail !== undefined) throw options.fail;
      sendJson(response, 200, { by: 'fast path', ...matched });
    },
    logger,
    trustedProxies: options.trustedProxies ?? [],
  });
  return { call: supertest(fastPath), lines };
}

describe('createFastPathRoute', () => {
  it('serves its own route with the headers of every answer, and leaves the others to the app', async () => {
    const { call } = build();
    const own = await call.get('/fast/one').set('X-Request-Id', 'abc');
    expect(own.body).toMatchObject({ by: 'fast path', parameter: 'one' });
    expect(own.headers).toMatchObject({ 'x-request-id': 'abc', 'cache-control': 'no-store' });
    expect((await call.get('/slow/one')).body).toEqual({ by: 'app' });
  });

  it('leaves a request without a Host to the app, which refuses it', () => {
    const fastPath = createFastPathRoute({
      app: (_request, response) => sendJson(response, 400, { by: 'app' }),
      match,
      handle: async () => undefined,
      logger: captureLogger().logger,
      trustedProxies: [],
    });
    const withoutHost = { headers: {}, url: '/fast/one' };
    const sent: unknown[] = [];
    const response = { setHeader: () => undefined, end: (text: string) => sent.push(text) };
    fastPath(withoutHost as never, response as never);
    expect(sent).toEqual(['{"by":"app"}']);
  });

  it.each([
    [[], '127.0.0.1'],
    [['127.0.0.1'], '203.0.113.9'],
    [['10.0.0.0/8'], '127.0.0.1'],
  ])('with the proxies %j it takes %s for the address of the sender', async (proxies, address) => {
    const { call } = build({ trustedProxies: proxies });
    const answer = await call.get('/fast/one').set('X-Forwarded-For', '203.0.113.9');
    expect(answer.body.address.replace('::ffff:', '')).toBe(address);
  });

  it('answers 500 in the form of CDS for a mistake of ours, and logs it with its path alone', async () => {
    const { call, lines } = build({ fail: new TypeError('x is not a function') });
    const answer = await call.get('/fast/one?token=abc');
    expect(answer.status).toBe(500);
    expect(answer.body).toMatchObject({ id: 1, uuid: expect.any(String) });
    expect(lines).toEqual([
      expect.objectContaining({ level: 50, uuid: answer.body.uuid, path: '/fast/one' }),
    ]);
  });
});
