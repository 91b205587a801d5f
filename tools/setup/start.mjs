// `npm start [-- --once]`: plays the main job on this machine, without an account anywhere. See
// tools/sandbox.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureNode } from './ensure-node.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { nx, root } from './run.mjs';
import { giveUp, say } from './say.mjs';

ensureNode();
ensureDependencies(root);
ensureRedis();

say('Building the services and the sandbox …');
if (nx(['run-many', '-t', 'build']) !== 0) giveUp('The build failed: see above.');

const sandbox = spawn(
  process.execPath,
  [join(root, 'dist', 'tools', 'sandbox', 'main.js'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
// Ctrl-C reaches the sandbox by itself: both are in the terminal's process group. A signal sent to
// this process does not.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => sandbox.kill('SIGTERM'));
sandbox.on('exit', (code) => process.exit(code ?? 1));
