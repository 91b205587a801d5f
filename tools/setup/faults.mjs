// `npm run test:faults [-- OPTIONS]`: makes everything go wrong that docs/promises.md names. See
// tools/faults.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureNode } from './ensure-node.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { nx, root } from './run.mjs';
import { giveUp, say } from './say.mjs';

ensureNode();
ensureDependencies(root);
ensureRedis();

say('Building hooks and vcs …');
if (nx(['run-many', '-t', 'build', '-p', 'hooks', 'vcs']) !== 0)
  giveUp('The build failed: see above.');

const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'),
    ...['--tsconfig', join(root, 'tsconfig.base.json'), join(root, 'tools', 'faults', 'main.ts')],
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
