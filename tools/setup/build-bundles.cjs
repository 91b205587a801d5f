const { spawnSync } = require('node:child_process');
const { join, relative, resolve } = require('node:path');

const root = join(__dirname, '..', '..');

/**
 * Jest's `globalSetup`: brings the bundles of `dist` up to date, so that a spec alone never meets
 * those of other sources. Only specs of `e2e` and `sandbox` start them. Nx has built where it
 * started the specs.
 */
module.exports = ({ testPathPatterns: { patterns } }) => {
  if (process.env.NX_TASK_TARGET_PROJECT) return;
  const elsewhere = /^(apps|libs|tools\/(?!e2e|sandbox))/;
  const needsNone = (pattern) => elsewhere.test(relative(root, resolve(pattern)));
  if (patterns.length > 0 && patterns.every(needsNone)) return;
  const { status } = spawnSync('npm', ['run', 'build'], {
    cwd: root,
    env: { ...process.env, NX_DAEMON: 'false' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('The bundles cannot be built: see `npm run build`.');
};
