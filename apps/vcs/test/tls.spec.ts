import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CdsApiClient } from '@cds/api-client';
import { BitbucketError, createBitbucketClient, createOAuthClient } from '@cds/bitbucket';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.stderr.write('tls.spec.ts is skipped: there is no openssl here\n');
const describeTls = hasOpenssl ? describe : describe.skip;

describeTls('a server with a self-signed certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const authorizations: string[] = [];
  let connections = 0;
  let server: Server;
  let origin: string;
  const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;

  beforeAll(async () => {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const form = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'];
    execFileSync('openssl', ['req', ...form, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (req, res) => {
      authorizations.push(String(req.headers.authorization ?? req.headers['x_auth_header']));
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify({ version: '0.41.0', full_name: 'ws/repo' }));
    });
    server.on('connection', () => (connections += 1));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    authorizations.length = 0;
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    rmSync(folder, { recursive: true });
  });

  async function askApi(insecure: boolean) {
    const api = new CdsApiClient({ url: origin, insecure, requestTimeoutSeconds: 60 });
    try {
      return await api.version();
    } finally {
      api.close();
    }
  }

  const ctx = () => ({ signal: AbortSignal.timeout(300_000) });
  const tokens = { current: async () => 'a-token', renew: async () => 'a-token' };
  const askBitbucket = () =>
    createBitbucketClient({ apiUrl: `${origin}/2.0`, tokens }).getRepository(
      { workspace: 'ws', slug: 'repo' },
      ctx(),
    );
  const askOAuth = () =>
    createOAuthClient({ oauthUrl: origin, clientId: 'id', clientSecret: 's' }).exchangeCode(
      'code',
      ctx(),
    );

  async function refusal(call: Promise<unknown>): Promise<Error> {
    return call.then(
      () => Promise.reject(new Error('the certificate was accepted')),
      (error: Error) => error,
    );
  }

  it('is refused by both clients, with what to do', async () => {
    expect((await refusal(askApi(false))).message).toMatch(
      /self-signed certificate.*NODE_EXTRA_CA_CERTS.*api\.http\.insecure/,
    );
    for (const ask of [askBitbucket, askOAuth]) {
      connections = 0;
      const error = await refusal(ask());
      expect(error).toBeInstanceOf(BitbucketError);
      expect(error).toMatchObject({ kind: 'unreachable', untrusted: true });
      expect(error.message).toMatch(/TLS certificate.*DEPTH_ZERO_SELF_SIGNED.*NODE_EXTRA_CA_CERTS/);
      // Trying again would not help.
      expect(connections).toBe(1);
    }
    expect(authorizations).toEqual([]);
  });

  it('is accepted for the API that is called insecurely, and for nothing else in the process', async () => {
    expect(await askApi(true)).toMatchObject({ version: '0.41.0' });
    await refusal(askBitbucket());
    await refusal(askOAuth());
    await refusal(askApi(false));
    await refusal(fetch(origin));
    expect(process.env['NODE_TLS_REJECT_UNAUTHORIZED']).toBe(before);
    expect(authorizations).toHaveLength(1);
  });

  it('is refused even where the environment says that nothing is to be verified', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    for (const ask of [askBitbucket, askOAuth, () => askApi(false)]) await refusal(ask());
    expect(authorizations).toEqual([]);
  });
});
