const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const root = join(__dirname, '..', '..');

/**
 * Jest's `globalSetup` of specs that start the bundles of `dist`: brings them up to date, so that a
 * spec alone never meets those of other sources. Nx has done it where it started the specs.
 */
module.exports = () => {
  if (process.env.NX_TASK_TARGET_PROJECT) return;
  const { status } = spawnSync('npm', ['run', 'build'], {
    cwd: root,
    env: { ...process.env, NX_DAEMON: 'false' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('The bundles cannot be built: see `npm run build`.');
};
