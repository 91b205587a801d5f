#!/usr/bin/env node
// The `engine` command in a checkout: brings its bundle up to date, then becomes it.
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureNode } from './ensure-node.mjs';
import { nx, root } from './run.mjs';
import { giveUp } from './say.mjs';

ensureNode();
ensureDependencies(root);
if (nx(['build', 'engine']) !== 0) giveUp('Building the engine failed: see above.');

const engine = spawn(
  process.execPath,
  [join(root, 'dist', 'apps', 'engine', 'main.js'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    // So that the search for CDS's own engine on PATH never finds this file.
    env: { ...process.env, CDS_BITBUCKET_ENGINE: realpathSync(fileURLToPath(import.meta.url)) },
  },
);
// Ctrl-C reaches the engine by itself: both are in the terminal's process group.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => engine.kill('SIGTERM'));
engine.on('exit', (code) => process.exit(code ?? 1));
