import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const NX = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');

/** How Nx runs in the checkout. */
const options = () => ({
  cwd: root,
  env: { ...process.env, NX_DAEMON: 'false', FORCE_COLOR: process.env.FORCE_COLOR ?? '0' },
});

/** Runs Nx to its end, and shows its output only where it fails. Returns its exit code. */
export function nx(args) {
  const result = spawnSync(process.execPath, [NX, ...args], {
    ...options(),
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status !== 0) process.stderr.write(Buffer.concat([result.stdout, result.stderr]));
  return result.status ?? 1;
}

/** Starts Nx beside others. Resolves with its exit code. */
export async function startNx(args) {
  const child = spawn(process.execPath, [NX, ...args], {
    ...options(),
    stdio: ['ignore', 2, 2],
  });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
