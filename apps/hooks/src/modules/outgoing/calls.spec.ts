import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type LookupFunction } from 'node:net';
import type { lookup } from 'node:dns';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { createServer as createHttpsServer } from 'node:https';
import {
  readProxySettings,
  createTargetGuard,
  TargetRefusedError,
  type TargetRules,
} from '@cds/network';
import { startTestProxy, type TestProxy, TLS_CERTIFICATE, TLS_KEY } from '@cds/testing';
import { type CallBounds, createCallTarget } from './call-target';
import type { TargetRequest } from './target-request';
import { createMasking } from './mask-secrets';

const NONE: TargetRules = { allow: [], deny: [] };

/** A resolver that knows these names alone. */
function resolver(names: Record<string, string[]>): typeof lookup {
  const resolve = (
    name: string,
    _options: unknown,
    callback: (error: Error | null, found: unknown) => void,
  ): void => {
    const found = names[name];
    if (!found) callback(new Error(`ENOTFOUND ${name}`), []);
    else
      callback(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  };
  return resolve as unknown as typeof lookup;
}

function resolved(lookupOf: LookupFunction, name: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    lookupOf(name, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve((addresses as { address: string }[]).map(({ address }) => address));
    });
  });
}

describe('the guard of targets', () => {
  const check = (url: string, rules: TargetRules = NONE) =>
    createTargetGuard(rules).check(new URL(url));

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.01/',
    'http://127.0.0.1.:8080/',
    'http://0.0.0.0/',
    'http://0/',
    'http://169.254.169.254/latest/meta-data/',
    'http://169.254.0.1/',
    'http://100.100.100.200/',
    'http://168.63.129.16/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[::1]/',
    'http://[::]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://[ff02::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::127.0.0.1]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:7f00:1::]/',
    'http://[::ffff:0:127.0.0.1]/',
    // A local prefix of NAT64, of 96, 64, 56 and 48 bits.
    'http://[64:ff9b:1::127.0.0.1]/',
    'http://[64:ff9b:1:1:2:3:a9fe:a9fe]/',
    'http://[64:ff9b:1:0:7f:0:100:0]/',
    'http://[64:ff9b:1:7f:0:1::]/',
    'http://[64:ff9b:1:7f00:0:100::]/',
    'http://[64:ff9b:1::]/',
    // Teredo: client, then server.
    'http://[2001:0:808:808:0:0:80ff:fffe]/',
    'http://[2001:0:7f00:1:0:0:f7f7:f7f7]/',
    // ISATAP below several prefixes; its own prefix counts, too.
    'http://[2001:db8::5efe:127.0.0.1]/',
    'http://[fd00::200:5efe:169.254.169.254]/',
    'http://[fe80::5efe:8.8.8.8]/',
    'http://[fec0::1]/',
    'http://[feff:1::1]/',
    'http://[::0.0.1.1]/',
    'http://0.1.2.3/',
    'http://[fd00:ec2::23]/',
    'http://[fd20:ce::254]/',
    'http://[fd00:c1::a9fe:a9fe]/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
  ])('refuses %s', (url) => {
    expect(() => check(url)).toThrow(TargetRefusedError);
  });

  it.each([
    'http://10.1.2.3/',
    'http://192.168.0.1:8080/',
    'https://8.8.8.8/',
    'http://[2001:4860:4860::8888]/',
    'http://[fd12:3456::1]/',
    'http://[64:ff9b::8.8.8.8]/',
    'http://[64:ff9b:1::8.8.8.8]/',
    'http://[64:ff9b:1:808:8:800::]/',
    'http://[2001:0:808:808:0:0:f7f7:f7f7]/',
    'http://[2001:db8::5efe:8.8.8.8]/',
    'http://[2002:808:808::1]/',
    'http://name.example.com/',
  ])('lets %s be called', (url) => {
    expect(() => check(url)).not.toThrow();
  });

  it.each([
    ['http://127.0.0.1/', ['127.0.0.1'], []],
    ['http://[::ffff:127.0.0.1]/', ['127.0.0.0/8'], []],
    ['http://[::1]/', ['::1'], []],
    ['http://169.254.169.254/', ['169.254.0.0/16'], []],
    ['http://127.0.0.1/', ['*'], []],
    ['http://[64:ff9b:1::127.0.0.1]/', ['127.0.0.0/8'], []],
    ['http://[fec0::1]/', ['fec0::/10'], []],
    ['http://[fe80::5efe:127.0.0.1]/', ['fe80::/10', '127.0.0.1'], ['*']],
    ['http://10.0.0.1/', ['10.0.0.0/8'], ['*']],
    ['http://hooks.example.com/', ['*.example.com'], ['*']],
  ])('lets %s be called with allow %p and deny %p', (url, allow, deny) => {
    expect(() => check(url, { allow, deny })).not.toThrow();
  });

  it.each([
    ['http://10.0.0.1/', [], ['10.0.0.0/8']],
    ['http://[::ffff:10.0.0.1]/', [], ['10.0.0.0/8']],
    ['http://10.0.0.1/', ['10.0.0.1'], ['10.0.0.0/8']],
    ['http://10.0.0.1/', [], ['*']],
    ['http://10.0.0.1/', ['192.168.0.0/16'], ['*']],
    ['http://HOOKS.example.com./', [], ['*.example.com']],
    ['http://hooks.example.com/', ['*'], ['hooks.example.com']],
    ['http://[64:ff9b::a00:1]/', [], ['64:ff9b::/96']],
    ['http://[2002:a00:1::]/', [], ['2002::/16']],
    ['http://[64:ff9b:1::10.0.0.1]/', [], ['10.0.0.0/8']],
    ['http://[64:ff9b:1::10.0.0.1]/', ['192.168.0.0/16'], ['*']],
    ['http://[2001:0:808:808:0:0:f5ff:fffe]/', [], ['10.0.0.0/8']],
    ['http://[fe80::5efe:127.0.0.1]/', ['127.0.0.1'], []],
    ['http://[::ffff:10.1.2.3]/', [], ['::ffff:10.0.0.0/104']],
    ['http://10.1.2.3/', [], ['::ffff:10.0.0.0/104']],
  ])('refuses %s with allow %p and deny %p', (url, allow, deny) => {
    expect(() => check(url, { allow, deny })).toThrow(TargetRefusedError);
  });

  it('refuses the addresses of this machine’s interfaces, whichever there are at the moment', async () => {
    const none = { netmask: '', mac: '', internal: false, cidr: null };
    const interfaces: Record<string, NetworkInterfaceInfo[]> = {
      eth0: [
        { ...none, family: 'IPv4', address: '10.1.2.3' },
        { ...none, family: 'IPv6', address: 'fd12::3', scopeid: 0 },
      ],
    };
    const resolve = resolver({ 'me.example.com': ['10.1.2.3'], 'other.example.com': ['10.1.2.4'] });
    const system = { resolve, interfaces: () => interfaces };
    const guard = createTargetGuard(NONE, system);
    const refusal = 'is an address of this machine, which hooks.outgoing.allow does not name';
    for (const host of ['10.1.2.3', '[::ffff:10.1.2.3]', '[fd12:0::3]', '[64:ff9b::10.1.2.3]'])
      expect(() => guard.check(new URL(`http://${host}/`))).toThrow(refusal);
    await expect(resolved(guard.lookup, 'me.example.com')).rejects.toThrow(refusal);
    await expect(resolved(guard.lookup, 'other.example.com')).resolves.toEqual(['10.1.2.4']);

    const allowing = createTargetGuard({ allow: ['10.1.2.3'], deny: [] }, system);
    expect(() => allowing.check(new URL('http://10.1.2.3/'))).not.toThrow();

    interfaces['tun0'] = [{ ...none, family: 'IPv4', address: '10.1.2.4' }];
    await expect(resolved(guard.lookup, 'other.example.com')).rejects.toThrow(refusal);
  });

  it('refuses what this machine really has', () => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    for (const { address, family } of own) {
      const host = family === 'IPv6' ? `[${address.replace(/%.*/, '')}]` : address;
      expect(() => check(`http://${host}/`)).toThrow(TargetRefusedError);
    }
  });

  it('judges the addresses that a name has, and leaves those out that must not be called', async () => {
    const names = {
      inner: ['127.0.0.1'],
      mixed: ['169.254.169.254', '10.0.0.1'],
      mapped: ['::ffff:127.0.0.1'],
      'a.example.com': ['127.0.0.1'],
      outer: ['8.8.8.8'],
    };
    const guard = (rules: TargetRules) =>
      createTargetGuard(rules, { resolve: resolver(names) }).lookup;

    await expect(resolved(guard(NONE), 'inner')).rejects.toThrow('is a loopback address');
    await expect(resolved(guard(NONE), 'mapped')).rejects.toThrow(TargetRefusedError);
    await expect(resolved(guard(NONE), 'mixed')).resolves.toEqual(['10.0.0.1']);
    await expect(resolved(guard({ allow: ['inner'], deny: [] }), 'inner')).resolves.toHaveLength(1);
    const wildcard = guard({ allow: ['*.example.com'], deny: ['*'] });
    await expect(resolved(wildcard, 'a.example.com')).resolves.toEqual(['127.0.0.1']);
    await expect(resolved(wildcard, 'outer')).rejects.toThrow('hooks.outgoing.allow');
    await expect(resolved(guard({ allow: ['*'], deny: ['8.0.0.0/8'] }), 'outer')).rejects.toThrow(
      'hooks.outgoing.deny',
    );
    await expect(resolved(guard(NONE), 'unknown')).rejects.toThrow('ENOTFOUND');
  });
});

describe('the guard of targets that a proxy connects to', () => {
  const judge = (url: string, rules: TargetRules, found: string[] = []) =>
    createTargetGuard(rules, { addressesOf: async () => found }).checkBehindProxy(new URL(url));

  it.each([
    ['http://127.0.0.1/', NONE, []],
    ['http://[64:ff9b:1::127.0.0.1]/', NONE, []],
    ['http://localhost/', NONE, []],
    ['http://LOCALHOST./', NONE, []],
    ['http://a.localhost/', NONE, []],
    ['http://localhost.localdomain/', NONE, []],
    ['http://ip6-loopback/', NONE, []],
    ['http://metadata.google.internal/', NONE, []],
    ['http://127.0.0.1.nip.example/', NONE, ['127.0.0.1']],
    ['http://mixed.example/', NONE, ['8.8.8.8', '169.254.169.254']],
    ['http://a.example/', { allow: [], deny: ['a.example'] }, ['8.8.8.8']],
    ['http://a.example/', { allow: [], deny: ['*'] }, ['8.8.8.8']],
    ['http://a.example/', { allow: ['8.0.0.0/8'], deny: ['*'] }, []],
    ['http://a.example/', { allow: [], deny: ['10.0.0.0/8'] }, ['10.1.2.3']],
    ['http://a.example/', { allow: [], deny: ['10.0.0.0/8'] }, []],
  ])('refuses %s with %j where %j is found', async (url, rules, found) => {
    await expect(judge(url, rules, found)).rejects.toThrow(TargetRefusedError);
  });

  it.each([
    ['http://a.example/', NONE, []],
    ['http://intranet/', NONE, []],
    ['http://metadata.example.com/', NONE, ['10.1.2.3']],
    ['http://localhost/', { allow: ['localhost'], deny: [] }, []],
    ['http://a.example/', { allow: ['a.example'], deny: ['10.0.0.0/8'] }, []],
    ['http://a.example/', { allow: ['*.example'], deny: ['*'] }, []],
    ['http://a.example/', { allow: ['8.0.0.0/8'], deny: ['*'] }, ['8.8.8.8']],
  ])('lets %s be called with %j where %j is found', async (url, rules, found) => {
    await expect(judge(url, rules, found)).resolves.toBeUndefined();
  });
});

describe('masks of secrets of one character', () => {
  it('are not looked through for others, so that the text stays bounded', () => {
    const { mask } = createMasking(
      ['1', '2', '3', '4', '5', '6'].map((value) => ({ name: `p${value}2345`, value })),
    );
    const masked = mask('123456 '.repeat(9_000));
    expect(masked.replace(/\*\*p\d2345\*\*/g, '').trim()).toBe('');
    expect(masked.length).toBeLessThan(1024 * 1024);
  });

  it('leave nothing of two secrets that overlap', () => {
    const secrets = [
      { name: 'a', value: 'abc' },
      { name: 'b', value: 'cdef' },
    ];
    expect(createMasking(secrets).mask('x abcdef y')).toBe('x **a****b** y');
  });
});

describe('the masking of secrets', () => {
  const value = 'p@ss w/rd "<ü>\n2nd line+';
  const utf8 = Buffer.from(value);
  const { mask, maskCut } = createMasking([
    { name: 'cds.proj.token', value },
    { name: 'cds.proj.longer', value: `${value}-and-more` },
    { name: 'empty', value: '' },
  ]);

  it.each([
    ['as it is', value],
    ['in a URL', encodeURIComponent(value)],
    ['in a form', new URLSearchParams({ value }).toString().slice('value='.length)],
    ['in JSON', JSON.stringify(value).slice(1, -1)],
    ['in base64', utf8.toString('base64')],
    ['in base64url', utf8.toString('base64url')],
    [
      'in base64 with a name before',
      Buffer.concat([Buffer.from('user:'), utf8]).toString('base64'),
    ],
    ['in base64 with something around', Buffer.from(`{"a":"${value}"}`).toString('base64')],
    ['in hex', utf8.toString('hex')],
    ['in upper case', value.toUpperCase()],
    ['in lower case', value.toLowerCase()],
    ['with other line ends', value.replace('\n', '\r\n')],
    ['in HTML', value.replaceAll('<', '&lt;').replaceAll('>', '&gt;')],
  ])('finds one %s', (_, form) => {
    const masked = mask(`before ${form} after`);

    expect(masked).toContain('**cds.proj.token**');
    expect(masked).not.toContain(form.slice(4, -4));
    expect(masked).toMatch(/^before .* after$/s);
  });

  it('finds the lines of a key one by one, and the longer of two first', () => {
    expect(mask('x 2nd line+ y')).toBe('x **cds.proj.token** y');
    expect(mask(`${value}-and-more`)).toBe('**cds.proj.longer**');
    expect(mask('nothing of it')).toBe('nothing of it');
  });

  it('takes away the beginning of a secret at which a text was cut off', () => {
    expect(maskCut(`text ${value.slice(0, 9)}`)).toBe('text ');
    expect(maskCut(`text ${value}`)).toBe('text **cds.proj.token**');
  });
});

describe('the call of a target', () => {
  const servers: Server[] = [];
  const BOUNDS: CallBounds = {
    timeoutMs: 3_000,
    maxRedirects: 3,
    maxRequestBytes: 2_048,
    maxLogBytes: 1_024,
  };
  const names = { outer: ['127.0.0.1'], other: ['127.0.0.1'], metadata: ['169.254.169.254'] };
  const rules: TargetRules = { allow: ['outer', 'other'], deny: [] };

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function serve(
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<number> {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  function call(request: Partial<TargetRequest>, bounds: Partial<CallBounds> = {}) {
    const guard = createTargetGuard(rules, { resolve: resolver(names) });
    const callTarget = createCallTarget({ guard, bounds: { ...BOUNDS, ...bounds } });
    const whole = {
      method: 'POST',
      url: '',
      headers: { 'Content-Type': 'application/json' },
      body: '{"a":"b"}',
      ...request,
    };
    return callTarget(whole, new AbortController().signal);
  }

  it('sends what it is given, and shows what was sent and answered', async () => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push([request.method, request.url, request.headers, String(Buffer.concat(chunks))]);
        response.writeHead(201, { 'Content-Type': 'application/json', 'X-One': '1' });
        response.end('{"ok":true}');
      });
    });

    const answer = await call({ method: 'put', url: `http://outer:${port}/out?q=1#part` });

    expect(seen).toEqual([
      [
        'PUT',
        '/out?q=1',
        {
          host: `outer:${port}`,
          'user-agent': 'CDS/hooks',
          'content-length': '9',
          'content-type': 'application/json',
          'accept-encoding': 'identity',
          connection: 'close',
        },
        '{"a":"b"}',
      ],
    ]);
    expect(answer.status).toBe(201);
    expect(answer.request.head).toMatch(/^PUT \/out\?q=1 HTTP\/1.1\r\nHost: outer:\d+\r\n/);
    expect(answer.request.body).toBe('{"a":"b"}');
    expect(answer.response.head).toMatch(
      /^HTTP\/1.1 201 Created\r\nContent-Type: application\/json\r\n/,
    );
    expect(answer.response).toMatchObject({ body: '{"ok":true}', isCut: false });
  });

  it('gives the credentials of a URL as a header, and not to another server', async () => {
    const seen: (string | undefined)[][] = [];
    const note = (request: IncomingMessage) =>
      seen.push([request.method, request.url, request.headers.authorization, request.headers.host]);
    const second = await serve((request, response) => {
      note(request);
      response.end('end');
    });
    const first = await serve((request, response) => {
      note(request);
      const location = request.url === '/a' ? '/b' : `http://user:pass@other:${second}/c`;
      response.writeHead(307, { Location: location }).end();
    });

    await call({ url: `http://us%65r:p%40ss@outer:${first}/a` });

    const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
    expect(seen).toEqual([
      ['POST', '/a', basic, `outer:${first}`],
      ['POST', '/b', basic, `outer:${first}`],
      ['POST', '/c', undefined, `other:${second}`],
    ]);
  });

  it.each([
    [301, 'GET'],
    [302, 'GET'],
    [303, 'GET'],
    [307, 'POST'],
    [308, 'POST'],
  ])('follows a %s with %s', async (status, method) => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      seen.push([request.method, request.headers['content-length']]);
      if (request.url === '/') response.writeHead(status, { Location: '/next' }).end();
      else response.end();
    });

    await call({ url: `http://outer:${port}/` });

    expect(seen).toEqual([
      ['POST', '9'],
      [method, method === 'POST' ? '9' : undefined],
    ]);
  });

  it.each([
    ['metadata by its address', 'http://169.254.169.254/latest'],
    ['metadata by a name', 'http://metadata/latest'],
    ['this machine', 'http://127.0.0.1:1/'],
    ['this machine in IPv6', 'http://[::ffff:127.0.0.1]:1/'],
    ['a file', 'file:///etc/passwd'],
  ])('does not follow a redirect to %s', async (_, location) => {
    const port = await serve((_request, response) => {
      response.writeHead(302, { Location: location }).end();
    });

    await expect(call({ url: `http://outer:${port}/` })).rejects.toMatchObject({
      message: expect.stringContaining('the target is refused'),
      final: true,
    });
  });

  it('connects to the address that was checked, whatever the name resolves to later', async () => {
    let asked = 0;
    const port = await serve((_request, response) => void response.end('reached'));
    const changing = ((
      name: string,
      _options: unknown,
      callback: (e: null, a: unknown) => void,
    ) => {
      asked++;
      callback(null, [{ address: asked === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }]);
      return name;
    }) as unknown as typeof lookup;
    const guard = createTargetGuard({ allow: ['127.0.0.1'], deny: [] }, { resolve: changing });
    const callTarget = createCallTarget({ guard, bounds: BOUNDS });
    const request = { method: 'GET', url: `http://any:${port}/`, headers: {}, body: '' };
    const { signal } = new AbortController();

    expect((await callTarget(request, signal)).response.body).toBe('reached');
    expect(asked).toBe(1);
    await expect(callTarget(request, signal)).rejects.toThrow('is a linkLocal address');
  });

  describe('through a proxy of the environment', () => {
    let proxy: TestProxy;
    afterEach(() => proxy.close());

    async function callThrough(
      hosts: Record<string, number>,
      request: Partial<TargetRequest>,
      credentials = 'me:secret-of-the-proxy',
    ) {
      proxy = await startTestProxy({ credentials: 'me:secret-of-the-proxy', hosts });
      const server = `http://${credentials}@127.0.0.1:${proxy.port}`;
      const proxies = readProxySettings({
        ...{ HTTP_PROXY: server, HTTPS_PROXY: server, NO_PROXY: 'direct.example' },
      });
      const direct = { 'direct.example': ['127.0.0.1'] };
      const guard = createTargetGuard(
        { allow: ['direct.example'], deny: [] },
        { resolve: resolver(direct), addressesOf: async () => [] },
      );
      const callTarget = createCallTarget({ guard, bounds: BOUNDS, proxies });
      const whole = { method: 'POST', url: '', headers: {}, body: '{}', ...request };
      return callTarget(whole, new AbortController().signal);
    }

    it('reaches what the proxy alone can resolve, in http as in https', async () => {
      const seen: unknown[] = [];
      const port = await serve((request, response) => {
        seen.push([request.method, request.url, request.headers]);
        response.end('reached');
      });
      const headers = { 'Proxy-Authorization': 'Basic b3RoZXI=', 'X-Own': '1' };
      const answer = await callThrough(
        { 'chat.example:80': port },
        { url: 'http://chat.example/a?b', headers },
      );
      expect(answer.response.body).toBe('reached');
      expect(seen).toEqual([
        ['POST', '/a?b', expect.objectContaining({ host: 'chat.example', 'x-own': '1' })],
      ]);
      expect(JSON.stringify([seen, answer])).not.toContain('secret-of-the-proxy');
      expect(proxy.log).toEqual(['POST http://chat.example/a?b']);
      await proxy.close();

      // The certificate of the server is its own, and nobody trusts it: the tunnel stands.
      const secure = createHttpsServer({ key: TLS_KEY, cert: TLS_CERTIFICATE });
      servers.push(secure);
      await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
      const hosts = { 'chat.secure.test:443': (secure.address() as AddressInfo).port };
      await expect(callThrough(hosts, { url: 'https://chat.secure.test/' })).rejects.toThrow(
        'self-signed certificate',
      );
      expect(proxy.log).toEqual(['CONNECT chat.secure.test:443']);
    });

    it('connects itself to what NO_PROXY names, to the address that was checked', async () => {
      const port = await serve((_request, response) => void response.end('directly'));
      const answer = await callThrough({}, { url: `http://direct.example:${port}/` });
      expect(answer.response.body).toBe('directly');
      expect(proxy.seen).toEqual([]);
    });

    it('does not ask the proxy for what is refused, at first or by a redirect', async () => {
      const port = await serve((_request, response) => {
        response.writeHead(307, { Location: 'http://metadata.google.internal/' }).end();
      });
      await expect(
        callThrough({ 'chat.example:80': port }, { url: 'http://chat.example/' }),
      ).rejects.toMatchObject({ message: expect.stringContaining('refused'), final: true });
      expect(proxy.log).toEqual(['POST http://chat.example/']);
    });

    it.each(['http://chat.example/', 'https://chat.example/'])(
      'says that the proxy wants other credentials for %s, and tells none',
      async (url) => {
        const error = await callThrough({}, { url }, 'me:wrong-one').then(
          () => undefined,
          (reason: Error) => reason,
        );
        expect(error?.message).toMatch(
          /the proxy http:\/\/127.0.0.1:\d+ \(HTTPS?_PROXY\) wants .*\(407\)/,
        );
        expect(error?.message).not.toContain('wrong-one');
        expect(error).toMatchObject({ final: false });
      },
    );
  });

  it('ends redirects that do not end', async () => {
    const port = await serve((_request, response) => {
      response.writeHead(302, { Location: '/' }).end();
    });

    await expect(call({ url: `http://outer:${port}/` })).rejects.toThrow('more than 3 times');
  });

  it('reads no more of an endless answer than it shows, and does not wait for its end', async () => {
    const port = await serve((_request, response) => {
      response.write('x'.repeat(2_000));
    });

    const answer = await call({ url: `http://outer:${port}/` });

    expect(answer.response).toMatchObject({ body: 'x'.repeat(1_024), isCut: true });
  });

  it('bounds the time of a call, its redirects and its answer included', async () => {
    const slow = await serve((request, response) => {
      if (request.url === '/drip') response.write('a');
    });
    const bounds = { timeoutMs: 300 };

    for (const path of ['/', '/drip']) {
      const began = performance.now();
      await expect(call({ url: `http://outer:${slow}${path}` }, bounds)).rejects.toMatchObject({
        message: 'the target did not answer within 0.3 s',
        final: false,
      });
      expect(performance.now() - began).toBeGreaterThan(250);
    }
  });

  it('does not take an answer whose headers are too large, or which is none', async () => {
    const large = await serve((_request, response) => {
      response.writeHead(200, { 'X-Large': 'x'.repeat(40_000) }).end();
    });
    await expect(call({ url: `http://outer:${large}/` })).rejects.toThrow('cannot be called');

    const odd = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      // Unread, what the client sent would keep the connection half open.
      socket.resume();
      socket.end('this is no HTTP\r\n\r\n');
    });
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const { port } = odd.address() as AddressInfo;
    await expect(call({ url: `http://outer:${port}/` })).rejects.toThrow('cannot be called');
    odd.close();
  });

  it.each([
    [{ url: 'no url' }, 'is invalid'],
    [{ url: '/path' }, 'is invalid'],
    [{ url: 'http://outer/', method: 'CONNECT' }, 'method'],
    [{ url: 'http://outer/', method: 'GET / HTTP/1.1\r\nX: y' }, 'method'],
    [{ url: 'http://outer/', body: 'x'.repeat(3_000) }, 'maxRequestBytes'],
    [{ url: 'http://127.0.0.1/' }, 'refused'],
  ])('refuses %p, and would again', async (request, message) => {
    await expect(call(request)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      final: true,
    });
  });

  it('can be tried again when nobody listens', async () => {
    await expect(call({ url: 'http://outer:1/' })).rejects.toMatchObject({ final: false });
  });
});
