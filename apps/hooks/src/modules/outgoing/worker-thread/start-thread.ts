import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Beyond these the thread ends, and the service goes on. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 };

/** Starts the bundle of the thread, and makes it where the sources are run. */
export function startThread(): Worker {
  const bundle = join(__dirname, 'heavy-work-thread.js');
  const options = { resourceLimits: RESOURCE_LIMITS, execArgv: [] };
  if (existsSync(bundle)) return new Worker(bundle, options);
  return new Worker((ofSources ??= bundleSources()), { ...options, eval: true });
}

let ofSources: string | undefined;

function bundleSources(): string {
  const root = join(__dirname, '../../../../../..');
  const esbuild = join(root, 'node_modules/.bin/esbuild');
  const args = ['--bundle', '--platform=node', '--format=cjs', '--log-level=error'];
  return execFileSync(esbuild, [join(__dirname, 'heavy-work-thread.ts'), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
}
