// Runs the specs of one project and leaves the counts where `npm test` adds them up.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';

const projectRoot = process.argv[2];
if (!projectRoot)
  throw new Error('usage: node tools/build/run-jest.mjs PROJECT_ROOT [jest options]');

mkdirSync('tmp/test-results', { recursive: true });
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/jest/bin/jest.js',
    '-c',
    `${projectRoot}/jest.config.cjs`,
    '--passWithNoTests',
    '--json',
    `--outputFile=${resolve('tmp/test-results', `${basename(projectRoot)}.json`)}`,
    '--testLocationInResults=false',
    ...process.argv.slice(3),
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
process.exit(status ?? 1);
