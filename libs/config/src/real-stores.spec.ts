import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort, type RunningProcess, startProcess, startTestVault, waitFor } from '@cds/testing';
import { readRemoteConfig, type RemoteOptions } from './index';

const DOCUMENT = '[hooks]\nname = "of-a-store"\n';
const MANAGEMENT = '7b2f6a3e-0000-4000-8000-000000000001';
const OTHER = '7b2f6a3e-0000-4000-8000-000000000002';

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const read = (options: RemoteOptions, env: NodeJS.ProcessEnv) =>
  readRemoteConfig({ options, hasFiles: false, env, pausesMs: [] });

const consul = onPath('consul');
const describeConsul = consul === undefined ? describe.skip : describe;

describeConsul('a real Consul (skipped where there is no `consul` on PATH)', () => {
  let agent: RunningProcess;
  let address: string;

  beforeAll(async () => {
    const port = await freePort();
    const [server, lan, wan] = [await freePort(), await freePort(), await freePort()];
    const acl = `acl { enabled = true, default_policy = "deny", tokens { initial_management = "${MANAGEMENT}" } }`;
    agent = await startProcess({
      command: consul ?? '',
      args: [
        ...['agent', '-dev', '-bind', '127.0.0.1', '-client', '127.0.0.1', '-hcl', acl],
        ...['-http-port', String(port), '-grpc-port', '-1', '-dns-port', '-1'],
        ...['-server-port', String(server), '-serf-lan-port', String(lan)],
        ...['-serf-wan-port', String(wan)],
      ],
      env: {},
    });
    address = `127.0.0.1:${port}`;
    for (const key of ['cds/config.api.toml', 'teams/a b/ü.toml'])
      await waitFor(
        async () => {
          const url = `http://${address}/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;
          const headers = { 'X-Consul-Token': MANAGEMENT };
          const call = fetch(url, { method: 'PUT', body: DOCUMENT, headers });
          return (await call.catch(() => undefined))?.ok;
        },
        { what: 'Consul to store the configuration' },
      );
  });
  afterAll(() => agent.stop());

  it('holds a configuration under the key of CDS, and under any other', async () => {
    for (const remoteConfigKey of [undefined, 'teams/a b/ü.toml'])
      await expect(
        read({ remoteConfig: address, remoteConfigKey }, { CONSUL_HTTP_TOKEN: MANAGEMENT }),
      ).resolves.toMatchObject([{ text: DOCUMENT }]);
  });

  it('says why there is none', async () => {
    const options = { remoteConfig: address };
    for (const env of [{}, { CONSUL_HTTP_TOKEN: OTHER }])
      await expect(read(options, env)).rejects.toThrow('refuses the token (403)');
    await expect(
      read({ ...options, remoteConfigKey: 'no/key' }, { CONSUL_HTTP_TOKEN: MANAGEMENT }),
    ).rejects.toThrow('has no key no/key');
  });
});

const vault = onPath('vault') ?? onPath('bao');
const describeVault = vault === undefined ? describe.skip : describe;

describeVault('a real Vault (skipped where there is no `vault` and no `bao` on PATH)', () => {
  /** What the guide lets the token do. */
  const POLICY = ['secret/cds/conf', 'secret/data/cds/conf']
    .map((path) => `path "${path}" { capabilities = ["read"] }`)
    .join('\n');
  const ROOT = 'root-of-the-test';
  let server: RunningProcess;
  let vaultAddr: string;
  let token: string;

  const call = (path: string, method = 'GET', body?: object, by = ROOT) =>
    fetch(`${vaultAddr}/v1/${path}`, {
      ...{ method, headers: { 'X-Vault-Token': by } },
      ...(body && { body: JSON.stringify(body) }),
    });
  const done = (what: string, path: string, method: string, body?: object) =>
    waitFor(
      async () => {
        const answer = await call(path, method, body).catch(() => undefined);
        return answer?.ok ? ((await answer.json().catch(() => true)) as unknown) : undefined;
      },
      { what: `Vault to ${what}` },
    );
  const written = { 1: 'secret/cds/conf', 2: 'secret/data/cds/conf' } as const;
  const write = (version: 1 | 2, fields: object) =>
    done(
      'store the configuration',
      written[version],
      'POST',
      version === 1 ? fields : { data: fields },
    );
  /** An empty KV engine of this version at `secret/`. */
  async function mount(version: 1 | 2): Promise<void> {
    await done('remove the KV engine', 'sys/mounts/secret', 'DELETE');
    await done('mount the KV engine', 'sys/mounts/secret', 'POST', {
      ...{ type: 'kv', options: { version: String(version) } },
    });
    // Version 2 takes a moment until it stores anything.
    await write(version, { other: 'a field' });
  }

  beforeAll(async () => {
    const port = await freePort();
    server = await startProcess({
      command: vault ?? '',
      args: [
        ...['server', '-dev', `-dev-root-token-id=${ROOT}`, '-dev-no-store-token'],
        `-dev-listen-address=127.0.0.1:${port}`,
      ],
      // A shell's own would lead elsewhere.
      env: { VAULT_ADDR: '', BAO_ADDR: '' },
    });
    vaultAddr = `http://127.0.0.1:${port}`;
    await done('take a policy', 'sys/policies/acl/cds', 'POST', { policy: POLICY });
    const made = await done('make a token', 'auth/token/create', 'POST', { policies: ['cds'] });
    token = (made as { auth: { client_token: string } }).auth.client_token;
  });
  afterAll(() => server.stop());

  describe.each([1, 2] as const)('with version %i of its KV engine', (version) => {
    beforeAll(() => mount(version));

    it('gives the configuration to a token with the least rights', async () => {
      await write(version, { data: DOCUMENT });
      await expect(read({ vaultAddr }, { VAULT_TOKEN: token })).resolves.toMatchObject([
        { text: DOCUMENT },
      ]);
    });

    it('says why there is none', async () => {
      await expect(read({ vaultAddr }, { VAULT_TOKEN: 'another' })).rejects.toThrow(
        'refuses the token (403)',
      );
      await write(version, { other: 'a field' });
      await expect(read({ vaultAddr }, { VAULT_TOKEN: token })).rejects.toThrow(
        'has no field data in secret/cds/conf',
      );
      await done('delete it', written[version], 'DELETE');
      await expect(read({ vaultAddr }, { VAULT_TOKEN: token })).rejects.toThrow(
        'has no secret/cds/conf',
      );
    });

    it('answers what our stand-in answers', async () => {
      const standIn = await startTestVault({ kv: version });
      standIn.fields = undefined;
      standIn.allowed = Object.values(written);
      for (const path of Object.values(written))
        for (const isKnown of [true, false]) {
          const real = await call(path, 'GET', undefined, isKnown ? token : 'another');
          const headers = { 'X-Vault-Token': isKnown ? standIn.token : 'another' };
          const played = await fetch(`${standIn.url}/v1/${path}`, { headers });
          expect([path, isKnown, played.status]).toEqual([path, isKnown, real.status]);
        }
      await standIn.close();
    });
  });

  it('is asked again while it is sealed', async () => {
    await done('be sealed', 'sys/seal', 'PUT');
    await expect(read({ vaultAddr }, { VAULT_TOKEN: token })).rejects.toThrow(
      'cannot answer now (503): see whether it is sealed',
    );
  });
});
