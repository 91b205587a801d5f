import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const NX = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');

/** Runs Nx in the checkout. Returns its exit code. `quiet` shows its output only where it fails. */
export function nx(args, { quiet = false } = {}) {
  const result = spawnSync(process.execPath, [NX, ...args], {
    cwd: root,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
    env: { ...process.env, NX_DAEMON: 'false', FORCE_COLOR: process.env.FORCE_COLOR ?? '0' },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (quiet && result.status !== 0)
    process.stderr.write(Buffer.concat([result.stdout, result.stderr]));
  return result.status ?? 1;
}
