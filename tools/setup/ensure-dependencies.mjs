import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveUp, say } from './say.mjs';

/**
 * Installs the packages of package-lock.json unless exactly these are installed already.
 * The lockfile's hash is left in node_modules, so that a second run costs nothing.
 */
export function ensureDependencies(root) {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lockfile).digest('hex');
  const mark = join(root, 'node_modules', '.installed-lockfile');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;

  say('Installing the npm packages of package-lock.json (npm ci) …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0)
    giveUp('`npm ci` failed: see its output above; it needs a reachable npm registry.');
  writeFileSync(mark, wanted);
}
