import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { createServer as createHttpsServer, type Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { startTestProxy, type TestProxy, TLS_CERTIFICATE, TLS_KEY } from '@cds/testing';
import { isNeverSent } from './never-sent';
import { ForwardingAgent, TunnelAgent } from './proxy-agents';
import { type ProxyServer, ProxySettingsError, readProxySettings } from './proxy-settings';

const PASSWORD = 'the-password-of-the-proxy';

describe('the proxies of the environment', () => {
  const proxyOf = (url: string, env: NodeJS.ProcessEnv) =>
    readProxySettings(env).proxyFor(new URL(url))?.name;
  const both = { HTTPS_PROXY: 'http://secure:3128', HTTP_PROXY: 'http://plain:8080' };

  it('are chosen by the scheme of what is called', () => {
    expect(proxyOf('https://a.example', both)).toBe('http://secure:3128');
    expect(proxyOf('http://a.example', both)).toBe('http://plain:8080');
    expect(proxyOf('https://a.example', { HTTP_PROXY: 'http://plain:8080' })).toBeUndefined();
    expect(proxyOf('https://a.example', {})).toBeUndefined();
  });

  it('may be written in small letters, without a scheme, and empty', () => {
    expect(proxyOf('https://a.example', { https_proxy: 'secure:3128' })).toBe('http://secure:3128');
    expect(proxyOf('http://a.example', { HTTP_PROXY: ' ', http_proxy: 'https://p' })).toBe(
      'https://p',
    );
    const two = { HTTPS_PROXY: 'http://large:1', https_proxy: 'http://small:2' };
    expect(proxyOf('https://a.example', two)).toBe('http://large:1');
  });

  it.each([
    ['a.example', 'https://a.example/', true],
    ['a.example', 'https://b.a.example/', true],
    ['A.Example.', 'https://a.EXAMPLE./', true],
    ['a.example', 'https://notaa.example/', false],
    ['.a.example', 'https://b.a.example/', true],
    ['.a.example', 'https://a.example/', false],
    ['*.a.example', 'https://b.a.example/', true],
    ['*.a.example', 'https://a.example/', false],
    ['*', 'https://anything/', true],
    ['b.example, a.example', 'https://a.example/', true],
    ['b.example a.example', 'https://a.example/', true],
    ['a.example:8443', 'https://a.example:8443/', true],
    ['a.example:8443', 'https://a.example/', false],
    ['a.example:443', 'https://a.example/', true],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['10.1.2.3:8443', 'https://10.1.2.3/', false],
    ['10.1.2.3', 'https://[::ffff:10.1.2.3]/', true],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.0.0.0/8', 'https://a.example/', false],
    ['fd00::/8', 'https://[fd12::1]/', true],
    ['fd12::1', 'https://[fd12:0::1]/', true],
    ['[fd12::1]:443', 'https://[fd12::1]/', true],
    ['[fd12::1]:444', 'https://[fd12::1]/', false],
    ['', 'https://localhost/', true],
    ['', 'https://127.0.0.1:8443/', true],
    ['', 'https://[::1]/', true],
    ['', 'https://a.example/', false],
  ])('with NO_PROXY=%s leave out %s: %p', (exceptions, url, isLeftOut) => {
    for (const name of ['NO_PROXY', 'no_proxy'])
      expect(proxyOf(url, { ...both, [name]: exceptions }) === undefined).toBe(isLeftOut);
  });

  it('are shown without credentials, and what is not understood is named', () => {
    const settings = readProxySettings({
      HTTPS_PROXY: `http://me:${PASSWORD}@proxy:3128/`,
      NO_PROXY: 'a.example, http://b.example, 10.0.0.0/99',
    });
    expect(settings.inForce).toEqual({
      HTTPS_PROXY: 'http://proxy:3128',
      NO_PROXY: 'a.example, http://b.example, 10.0.0.0/99',
    });
    expect(settings.unknownExceptions).toEqual(['http://b.example', '10.0.0.0/99']);
    expect(readProxySettings({ NO_PROXY: '*' }).inForce).toEqual({});
  });

  it.each([
    ['socks5://proxy:1080', 'socks5:// proxies are not supported'],
    [`http://me:${PASSWORD}@:3128`, 'must be the URL of a proxy'],
    [`http://me:${PASSWORD}%@proxy`, 'no escape'],
    ['http://', 'must be the URL of a proxy'],
  ])('are refused where they are none, without their value', (value, reason) => {
    const read = () => readProxySettings({ https_proxy: value });
    expect(read).toThrow(ProxySettingsError);
    expect(read).toThrow(reason);
    expect(read).not.toThrow(PASSWORD);
  });
});

describe('a call through a proxy', () => {
  let proxy: TestProxy;
  const servers: Server[] = [];
  const credentials = `me:${PASSWORD}`;

  beforeAll(async () => {
    const answer = createHttpServer((_request, response) => response.end('plain'));
    const secure = createHttpsServer(
      { key: TLS_KEY, cert: TLS_CERTIFICATE },
      (_request, response) => response.end('secure'),
    );
    for (const server of [answer, secure]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server);
    }
    const [plain, tls] = servers.map((server) => (server.address() as AddressInfo).port);
    proxy = await startTestProxy({
      credentials,
      hosts: { 'api.secure.test:443': tls ?? 0, 'plain.test:80': plain ?? 0 },
    });
  });
  afterAll(async () => {
    await proxy.close();
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
  });

  function server(auth = `${credentials}@`, port = proxy.port): ProxyServer {
    const env = { HTTPS_PROXY: `http://${auth}127.0.0.1:${port}` };
    const found = readProxySettings(env).proxyFor(new URL('https://a.example'));
    if (!found) throw new Error('no proxy');
    return found;
  }

  function get(url: string, agent: Agent | ForwardingAgent): Promise<string> {
    return new Promise((resolve, reject) => {
      const send = url.startsWith('https:') ? httpsRequest : httpRequest;
      const request = send(url, { agent }, (response) => {
        response.setEncoding('utf8').once('data', (text: string) => resolve(text));
      });
      request.once('error', reject).end();
    });
  }
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: Error) => error,
    );

  it('reaches a server whose name is known to the proxy alone, over TLS that is checked', async () => {
    const url = 'https://api.secure.test/secret?x=1';
    const agent = new TunnelAgent(server(), { ca: TLS_CERTIFICATE, keepAlive: true });
    expect(await get(url, agent)).toBe('secure');
    expect(await get(url, agent)).toBe('secure');
    // One connection for both, and nothing of the request in clear.
    expect(proxy.log.splice(0)).toEqual(['CONNECT api.secure.test:443']);
    expect(proxy.seen.join()).not.toContain('/secret');
    agent.destroy();
    expect(await failure(get(url, new TunnelAgent(server())))).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  it('gives an http URL as a whole, and keeps its connection', async () => {
    proxy.log.length = 0;
    const agent = new ForwardingAgent(server(), { keepAlive: true });
    expect(await get('http://plain.test/a?b=1', agent)).toBe('plain');
    expect(await get('http://plain.test/a?b=2', agent)).toBe('plain');
    expect(proxy.log.splice(0)).toEqual([
      'GET http://plain.test/a?b=1',
      'GET http://plain.test/a?b=2',
    ]);
    agent.destroy();
  });

  it.each([
    ['wants credentials', () => server(''), 'https://api.secure.test/', /\(407\)/],
    ['wants others', () => server('me:wrong@'), 'https://api.secure.test/', /\(407\)/],
    ['refuses the host', () => server(), 'https://elsewhere.test/', /refuses \(403\)/],
    ['is away', () => server(undefined, 1), 'https://api.secure.test/', /ECONNREFUSED/],
  ])('fails where the proxy %s: no answer, nothing sent, no password told', async (...row) => {
    const [, which, url, reason] = row;
    const error = await failure(get(url, new TunnelAgent(which())));
    expect(error?.message).toMatch(reason);
    expect(error?.message).toContain('(HTTPS_PROXY)');
    expect(error?.message).not.toContain(PASSWORD);
    expect(isNeverSent(error)).toBe(true);
  });
});
