import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort, type RunningProcess, startProcess, waitFor } from '@cds/testing';
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
