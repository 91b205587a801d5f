import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Of one thread; beyond it the thread ends, and the service goes on. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 };

/** Beside the bundle lies that of the thread; from sources it is compiled as it starts. */
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
