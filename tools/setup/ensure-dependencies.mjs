import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveUp, say } from './say.mjs';

/** Installs the packages of package-lock.json unless exactly these are installed already. */
export function ensureDependencies(root) {
  if (areInstalled(root)) return;
  say('Installing the npm packages of package-lock.json (npm ci) …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0)
    giveUp('`npm ci` failed: see its output above; it needs a reachable npm registry.');
}

/**
 * Compares package-lock.json with npm's own record of what it has installed, which it writes last.
 */
export function areInstalled(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const [wanted, installed] = [join(root, 'package-lock.json'), record].map(packagesOf);
  return (
    Object.keys(installed).every((path) => path in wanted) &&
    // An optional one that is missing is for another platform.
    Object.entries(wanted).every(([path, { version, optional }]) =>
      path in installed ? installed[path].version === version : optional,
    )
  );
}

/** What a lockfile has by path, the project itself left out. */
function packagesOf(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  delete packages[''];
  return packages;
}
