import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Beyond these the thread ends, and the service goes on. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 };

/** Starts the bundle of the thread, or compiles its sources where there is no bundle. */
export function startThread(): Worker {
  const bundle = join(__dirname, 'heavy-work-thread.js');
  const options = { resourceLimits: RESOURCE_LIMITS, execArgv: [] };
  return existsSync(bundle) ? new Worker(bundle, options) : fromSources(options);
}

function fromSources(options: WorkerOptions): Worker {
  const root = join(__dirname, '../../../../../..');
  const programs = [
    join(root, 'node_modules/tsx/dist/cjs/index.cjs'),
    join(__dirname, 'heavy-work-thread.ts'),
  ];
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.base.json') };
  const program = programs.map((path) => `require(${JSON.stringify(path)});`).join('\n');
  return new Worker(program, { ...options, env, eval: true });
}
