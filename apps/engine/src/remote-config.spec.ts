import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bundlePrograms,
  freePort,
  type RunningProcess,
  startTestConsul,
  startTestProxy,
  startTestVault,
  type TestConsul,
  type TestVault,
  TLS_CERTIFICATE,
  waitFor,
} from '@cds/testing';
import { bundleEngine, type Engine, readyConfig, writeScript } from '../test/engine.fixture';

let engine: Engine;
let vault: TestVault;
let consul: TestConsul;
const running: RunningProcess[] = [];
beforeAll(async () => {
  engine = bundleEngine();
  vault = await startTestVault({ kv: 2, tls: true });
  consul = await startTestConsul();
});
beforeEach(() => {
  vault.fields = { data: readyConfig() };
  consul.entries.set('cds/config.api.toml', readyConfig());
});
afterAll(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await Promise.all([vault.close(), consul.close()]);
  engine.remove();
  expect([...vault.violations, ...consul.violations]).toEqual([]);
});

async function start(args: string[], env: NodeJS.ProcessEnv = {}): Promise<RunningProcess> {
  const process = await engine.start(args, env);
  running.push(process);
  return process;
}

/** Runs a command to its end while this process answers as Vault and Consul. */
async function run(args: string[], env: NodeJS.ProcessEnv = {}) {
  const process = await start(args, env);
  const { code } = await process.exited;
  return { code, out: process.stdout(), err: process.stderr() };
}

describe('a configuration in Vault and Consul', () => {
  it('is checked, over TLS that is verified, and through the proxy of the environment', async () => {
    const proxy = await startTestProxy({ hosts: { [`secure.test:${vault.port}`]: vault.port } });
    const authority = join(engine.folder(), 'ca.pem');
    writeFileSync(authority, TLS_CERTIFICATE);
    const args = ['config', 'check', '--vault-addr', vault.url, '--vault-token', vault.token];
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };

    const trusted = await run(args, { ...env, NODE_EXTRA_CA_CERTS: authority });
    const untrusted = await run(args, { ...env, NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    await proxy.close();

    expect(trusted).toMatchObject({ code: 0, out: 'Configuration file OK\n' });
    expect(proxy.log).toContain(`CONNECT secure.test:${vault.port}`);
    expect(untrusted).toMatchObject({ code: 1, out: '' });
    expect(untrusted.err).toMatch(/not to be trusted .*NODE_EXTRA_CA_CERTS/);
    expect(untrusted.err + proxy.seen.join('')).not.toContain(vault.token);
  });

  it('is checked like a file: what is wrong has its place', async () => {
    consul.entries.set('other', readyConfig({ more: 'colour = "red"' }));
    const { code, err } = await engine.call([
      ...['config', 'check', '--remote-config', consul.url, '--remote-config-key', 'other'],
    ]);
    expect(err).toMatch(new RegExp(`^warning: Consul ${consul.url}: line 14: .*colour`, 'm'));
    expect(code).toBe(0);
  });

  it('starts nothing where it cannot be read', async () => {
    const { code, out, err } = await engine.call([
      ...['start', 'hooks', '--remote-config', consul.url, '--remote-config-key', 'nowhere'],
    ]);
    expect(err).toMatch(/^error: Consul at .* has no key nowhere: write it with/);
    expect(out).toBe('');
    expect(code).toBe(1);
  });

  it('starts services, which read it themselves, with no token among their arguments', async () => {
    const plain = await startTestVault({ kv: 1 });
    plain.fields = { data: readyConfig() };
    const services = await start([
      ...['start', 'vcs', '--vault-addr', plain.url, '--vault-token', plain.token],
      ...['--remote-config', consul.url],
    ]);
    await services.waitForOutput(
      `vcs started with --vault-addr ${plain.url} --remote-config ${consul.url}\n`,
    );
    await services.stop();
    await plain.close();
  });

  it('starts the real hooks', async () => {
    const port = await freePort();
    bundlePrograms({ main: 'apps/hooks/src/main.ts' }, join(engine.home, 'services', 'hooks'));
    const plain = await startTestVault({ kv: 2 });
    plain.fields = {
      data: `[hooks]\nname = "of-vault"\n[hooks.http]\nport = ${port}\n[hooks.api]\ntoken = "the-token"\n`,
    };

    const hooks = await start(['start', 'hooks', '--vault-addr', plain.url], {
      VAULT_TOKEN: plain.token,
    });
    await waitFor(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/mon/version`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    });
    await hooks.stop();
    await plain.close();

    expect(plain.asked.filter((call) => call === 'GET /v1/secret/data/cds/conf')).toHaveLength(2);
    expect(hooks.stdout() + hooks.stderr()).not.toContain(plain.token);
  });

  it("is named to CDS's own engine where it holds the section of the API", async () => {
    const cds = writeScript(
      join(engine.folder(), 'cds-engine'),
      '#!/bin/sh\necho "called with $*"\n',
    );
    const file = join(engine.folder(), 'services.toml');
    writeFileSync(file, readyConfig());
    consul.entries.set('with-api', '[api]\nname = "api"\n');
    const args = [
      ...['start', 'api', '--config', file],
      ...['--remote-config', consul.url, '--remote-config-key', 'with-api'],
    ];
    const { out } = await run(args, { CDS_ENGINE: cds });
    expect(out).toContain(
      `called with start api --remote-config ${consul.url} --remote-config-key with-api\n`,
    );

    const versionTwo = await startTestVault({ kv: 2 });
    versionTwo.fields = { data: '[api]\nname = "api"\n' };
    const refused = await engine.call(['start', 'api', '--vault-addr', versionTwo.url], {
      ...{ CDS_ENGINE: cds, VAULT_TOKEN: versionTwo.token },
    });
    await versionTwo.close();
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain("CDS's own engine reads version 1 of Vault's KV engine alone");
  });

  it('may be that of every command that reads one', async () => {
    const commands = [['doctor'], ['hooks', 'why'], ['hooks', 'tasks', 'list'], ['vcs', 'adopt']];
    for (const command of commands)
      expect((await engine.call([...command, '--help'])).out).toMatch(
        /--vault-addr .*--remote-config-key /s,
      );
    expect((await engine.call(['version', '--help'])).out).not.toContain('--vault-addr');
  });
});
