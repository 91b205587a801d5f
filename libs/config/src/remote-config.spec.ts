import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  startTestConsul,
  startTestVault,
  type TestConsul,
  type TestVault,
} from '@cds/testing';
import { loadConfig, readRemoteConfig, RemoteConfigError, type RemoteOptions } from './index';

const DOCUMENT = '[hooks]\nname = "of-vault"\n[hooks.api]\ntoken = "the-secret-token"\n';
const KEY = 'cds/config.api.toml';

let folder: string;
let vaults: Record<1 | 2, TestVault>;
let consul: TestConsul;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cds-remote-'));
  vaults = { 1: await startTestVault({ kv: 1 }), 2: await startTestVault({ kv: 2 }) };
  consul = await startTestConsul();
});
beforeEach(() => {
  for (const vault of Object.values(vaults)) {
    vault.fields = { data: DOCUMENT };
    vault.asked.length = 0;
  }
  consul.entries.set(KEY, DOCUMENT);
});
afterAll(async () => {
  const stores = [vaults[1], vaults[2], consul];
  await Promise.all(stores.map((store) => store.close()));
  rmSync(folder, { recursive: true });
  expect(stores.flatMap(({ violations }) => violations)).toEqual([]);
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const read = (
  options: RemoteOptions,
  o: { env?: NodeJS.ProcessEnv; hasFiles?: boolean; onRetry?: (sentence: string) => void } = {},
) => readRemoteConfig({ options, hasFiles: false, env: {}, pausesMs: [1, 1], ...o });

/** Why a configuration cannot be read; that no token is in it is a matter of course. */
async function reasonFor(...args: Parameters<typeof read>): Promise<string> {
  const error: unknown = await read(...args).catch((thrown: unknown) => thrown);
  if (!(error instanceof RemoteConfigError)) throw new Error(`no reason: ${String(error)}`);
  expect(`${error.stack ?? ''} ${JSON.stringify(error)}`).not.toMatch(/hvs\.|secret-token/);
  return error.message;
}

describe.each([1, 2] as const)('Vault with version %d of the KV engine', (kv) => {
  const options = () => ({ vaultAddr: `${vaults[kv].url}/`, vaultToken: vaults[kv].token });

  it('holds a configuration where CDS looks for it, for a token that may read no more', async () => {
    const [document] = await read(options());

    expect(document).toMatchObject({ text: DOCUMENT, path: `Vault ${vaults[kv].url}` });
    expect(document?.argsOfCds?.join(' ')).toBe(
      // CDS's own engine cannot read version 2.
      kv === 1 ? `--vault-addr ${vaults[1].url} --vault-token ${vaults[1].token}` : undefined,
    );
  });

  it('is found by its own variables, and a token in a file', async () => {
    const { url, token } = vaults[kv];
    const env = { VAULT_ADDR: url, VAULT_TOKEN_FILE: file('token', `${token}\n`) };

    await expect(read({}, { env })).resolves.toHaveLength(1);
    await expect(read({ vaultAddr: url }, { env: { VAULT_TOKEN: token } })).resolves.toHaveLength(
      1,
    );
    // Somebody else's, where the configuration is named.
    await expect(read({}, { env, hasFiles: true })).resolves.toEqual([]);
    const withConsul = await read({ remoteConfig: consul.url }, { env });
    expect(withConsul.map(({ path }) => path)).toEqual([`Consul ${consul.url}`]);
  });

  it('is asked in its namespace', async () => {
    vaults[kv].namespace = 'team/ci';
    await expect(read(options(), { env: { VAULT_NAMESPACE: 'team/ci' } })).resolves.toHaveLength(1);
    await expect(reasonFor(options())).resolves.toContain('refuses the token');
    vaults[kv].namespace = undefined;
  });

  it.each<[string, () => void, RegExp]>([
    ['no such secret', () => (vaults[kv].fields = undefined), /has no secret\/cds\/conf: write it/],
    ['no field data', () => (vaults[kv].fields = { toml: DOCUMENT }), /has no field data/],
    ['a field that is no text', () => (vaults[kv].fields = { data: { a: 1 } }), /no text/],
    ['an empty field', () => (vaults[kv].fields = { data: '  ' }), /no text/],
  ])('says what is wrong with %s', async (_what, break_, message) => {
    break_();
    await expect(reasonFor(options())).resolves.toMatch(message);
  });

  it('refuses a wrong token, without asking again', async () => {
    const wrong = { ...options(), vaultToken: 'hvs.wrong' };
    await expect(reasonFor(wrong)).resolves.toMatch(/refuses the token \(403\)/);
    expect(vaults[kv].asked).toEqual(['GET /v1/secret/cds/conf', 'GET /v1/secret/data/cds/conf']);
  });

  it('is asked again while it is sealed or limits its callers, and a few times alone', async () => {
    const said: string[] = [];
    vaults[kv].failures.push(503, 429);
    await expect(
      read(options(), { onRetry: (sentence) => said.push(sentence) }),
    ).resolves.toHaveLength(1);
    expect(said).toEqual([
      expect.stringContaining('cannot answer now (503)'),
      expect.stringContaining('cannot answer now (429)'),
    ]);

    vaults[kv].failures.push(503, 503, 503);
    await expect(reasonFor(options())).resolves.toContain('(503)');
    expect(vaults[kv].failures).toEqual([]);
  });

  it('is not followed elsewhere with its token', async () => {
    vaults[kv].failures.push(307);
    await expect(reasonFor(options())).resolves.toContain('answers with a redirect (307)');
  });
});

describe('Consul', () => {
  const options = () => ({ remoteConfig: `127.0.0.1:${consul.port}` });

  it('holds a configuration under the key of CDS, and under any other', async () => {
    consul.entries.set('teams/a b/ü.toml', '[hooks]\nname = "other"\n');

    const [document] = await read(options());
    expect(document).toMatchObject({
      text: DOCUMENT,
      argsOfCds: ['--remote-config', consul.url, '--remote-config-key', KEY],
    });
    const other = { remoteConfig: consul.url, remoteConfigKey: '/teams/a b/ü.toml' };
    await expect(read(other)).resolves.toMatchObject([{ text: expect.stringContaining('other') }]);
  });

  it('is shown its token', async () => {
    consul.token = 'the-secret-token-of-consul';
    await expect(reasonFor(options())).resolves.toContain('CONSUL_HTTP_TOKEN');
    for (const env of [
      { CONSUL_HTTP_TOKEN: consul.token },
      { CONSUL_HTTP_TOKEN_FILE: file('consul', `${consul.token}\n`) },
    ])
      await expect(read(options(), { env })).resolves.toHaveLength(1);
    consul.token = undefined;
  });

  it.each<[string, () => RemoteOptions, RegExp]>([
    ['no such key', () => ({ ...options(), remoteConfigKey: 'no/key' }), /has no key no\/key/],
    ['an empty key', () => ({ ...options(), remoteConfigKey: 'empty' }), /has an empty empty/],
    ['a folder', () => ({ ...options(), remoteConfigKey: 'cds/' }), /no folder/],
  ])('says what is wrong with %s', async (_what, given, message) => {
    consul.entries.set('empty', '');
    await expect(reasonFor(given())).resolves.toMatch(message);
  });
});

describe('the configuration of Vault and Consul', () => {
  it('counts after that of files, and that of Consul after both', async () => {
    const toml = file('cds.toml', '[hooks]\nname = "of-file"\n[hooks.http]\nport = 9083\n');
    consul.entries.set(KEY, '[hooks]\nname = "of-consul"\nurlPublic = "https://h.example.com"\n');
    const { url, token } = vaults[2];
    const documents = await read(
      { vaultAddr: url, vaultToken: token, remoteConfig: consul.url },
      { hasFiles: true },
    );

    const { hooks, warnings } = loadConfig({
      services: ['hooks'],
      ...{ files: [toml], documents, env: {} },
    });

    expect(hooks).toMatchObject({
      name: 'of-consul',
      urlPublic: 'https://h.example.com',
      api: { token: 'the-secret-token' },
      http: { port: 9083 },
    });
    // Said of each key that another one overrides.
    expect(warnings.map(({ file: place, key }) => [place, key])).toEqual([
      [`Vault ${url}`, 'hooks.name'],
      [`Consul ${consul.url}`, 'hooks.name'],
    ]);
  });

  it('names where a wrong key stands, and no secret', async () => {
    vaults[1].fields = { data: '[hooks]\nname = "h"\napi = "the-secret-token"' };
    const documents = await read({ vaultAddr: vaults[1].url, vaultToken: vaults[1].token });
    expect(() => loadConfig({ services: ['hooks'], documents, env: {} })).toThrow(
      `Vault ${vaults[1].url}: line 3: hooks.api`,
    );
  });

  it.each<[RemoteOptions, NodeJS.ProcessEnv, RegExp]>([
    [{ vaultAddr: 'https://v' }, {}, /no token for Vault: give VAULT_TOKEN/],
    [{ vaultToken: 'hvs.x' }, {}, /no address of Vault/],
    [{ vaultAddr: 'localhost:8200', vaultToken: 'hvs.x' }, {}, /http:\/\/ or https:\/\/ URL/],
    [{ vaultAddr: 'v', vaultToken: 'hvs.x' }, {}, /--vault-addr has to be a URL/],
    [{ vaultAddr: 'https://a:secret-token@v', vaultToken: 'hvs.x' }, {}, /user name or password/],
    [{ vaultAddr: 'https://v', vaultToken: 'hvs.x\nX: y' }, {}, /--vault-token is no token/],
    [{}, { VAULT_ADDR: 'v', VAULT_TOKEN: 'hvs.x' }, /VAULT_ADDR has to be a URL/],
    [{ vaultAddr: 'https://v' }, { VAULT_TOKEN_FILE: '/nowhere' }, /VAULT_TOKEN_FILE names a file/],
    [
      { vaultAddr: 'https://v' },
      { VAULT_TOKEN_FILE: '/nowhere', VAULT_TOKEN: 'hvs.x' },
      /VAULT_TOKEN_FILE is given beside VAULT_TOKEN/,
    ],
    [{ remoteConfigKey: 'x' }, {}, /no address of Consul/],
    [{ remoteConfig: 'unix:///consul.sock' }, {}, /http:\/\/ or https:\/\/ URL/],
    [{ remoteConfig: 'a b' }, {}, /--remote-config has to be a URL/],
    [{ remoteConfig: 'x' }, { HTTP_PROXY: 'socks5://p' }, /HTTP_PROXY/],
  ])('is refused where it is named wrongly: %j', async (options, env, message) => {
    await expect(reasonFor(options, { env })).resolves.toMatch(message);
  });

  it('is nowhere where nothing names it, and empty options name nothing', async () => {
    const nothing = { vaultAddr: '', vaultToken: '', remoteConfig: '', remoteConfigKey: '' };
    for (const options of [{}, nothing])
      await expect(read(options, { env: { VAULT_ADDR: 'https://v' } })).resolves.toEqual([]);
  });

  it('is not taken from what is no such store, has no end, or is not there', async () => {
    const answers: string[] = ['<html>', '{"data":', '"data"', '[]', '['.repeat(50_000), 'endless'];
    const server = createServer((_request, response) => {
      const answer = answers[0];
      if (answer !== 'endless') return void response.end(answer);
      const more = (): void => {
        while (response.write('x'.repeat(64 * 1024)));
        response.once('drain', more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (; answers.length > 0; answers.shift()) {
      await expect(reasonFor({ vaultAddr: url, vaultToken: 'hvs.x' })).resolves.toMatch(
        /does not answer as Vault does|more than \d+ bytes/,
      );
      await expect(reasonFor({ remoteConfig: url })).resolves.toMatch(
        /does not answer as Consul does|more than \d+ bytes/,
      );
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));

    const gone = `127.0.0.1:${await freePort()}`;
    await expect(reasonFor({ remoteConfig: gone })).resolves.toContain('(ECONNREFUSED)');
  });
});
