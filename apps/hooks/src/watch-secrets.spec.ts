import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@cds/config';
import { captureLogger, waitFor } from '@cds/testing';
import { watchSecrets } from './watch-secrets';

const API = 'CDS_HOOKS_API_TOKEN';
const CLEANUPS = 'CDS_HOOKS_BRANCHDELETION_TOKEN';
const token = (name: string) => `e30.${name}.c2ln`;

let folder: string;
let end: () => void;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'cds-secrets-'))));
afterEach(() => {
  end();
  rmSync(folder, { recursive: true });
});

function startHooks() {
  const write = (variable: string, name: string) =>
    writeFileSync(join(folder, variable), token(name));
  write(API, 'service');
  write(CLEANUPS, 'cleanups');
  const { hooks: config } = loadConfig({
    services: ['hooks'],
    env: {
      CDS_HOOKS_NAME: 'h',
      CDS_HOOKS_URLPUBLIC: 'https://hooks.example.com',
      CDS_HOOKS_WEBHOOKKEY: 'the-webhook-key-of-32-characters',
      [`${API}_FILE`]: join(folder, API),
      [`${CLEANUPS}_FILE`]: join(folder, CLEANUPS),
    },
  });
  if (!config) throw new Error('no configuration');
  const { logger, lines } = captureLogger();
  end = watchSecrets({ config, logger, timing: { secretFilesMs: 5 } });
  const said = () => lines.map(({ variable, msg }) => [variable, String(msg).split(' ').at(-1)]);
  return { config, write, said };
}

describe('the tokens of hooks, read again from their files', () => {
  it('are compared with each other as they are now', async () => {
    const { config, write, said } = startHooks();
    write(API, 'service2');
    await waitFor(() => said().length === 1);
    write(CLEANUPS, 'service2');
    await waitFor(() => said().length === 2);
    expect(config.branchDeletion.token).toBe(token('cleanups'));
    // That of the service before is free again.
    write(CLEANUPS, 'service');
    await waitFor(() => said().length === 3);
    write(API, 'service');
    await waitFor(() => said().length === 4);
    expect(said()).toEqual([
      [`${API}_FILE`, 'file'],
      [`${CLEANUPS}_FILE`, 'restart'],
      [`${CLEANUPS}_FILE`, 'file'],
      [`${API}_FILE`, 'restart'],
    ]);
    expect([config.api.token, config.branchDeletion.token]).toEqual([
      token('service2'),
      token('service'),
    ]);
  });
});
