// Makes the file that `npm install --global` takes: of a bundle of the engine, with the units for
// systemd, which images have no use for. Usage: node tools/build/pack-engine.mjs [BUNDLE]
// [DESTINATION]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const [bundle = join(root, 'dist/apps/engine'), destination = join(root, 'dist')] =
  process.argv.slice(2);

const staged = mkdtempSync(join(tmpdir(), 'cds-engine-'));
cpSync(bundle, staged, { recursive: true });
cpSync(join(root, 'deploy/systemd'), join(staged, 'systemd'), { recursive: true });
const { status } = spawnSync('npm', ['pack', staged, '--pack-destination', destination], {
  stdio: 'inherit',
});
rmSync(staged, { recursive: true });
process.exitCode = status ?? 1;
