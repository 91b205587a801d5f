// Runs the specs of one project, or all, and leaves the counts where `npm test` adds them up.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';

const [folder = 'all', ...options] = process.argv.slice(2);

mkdirSync('tmp/test-results', { recursive: true });
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/jest/bin/jest.js',
    ...(folder === 'all' ? [] : [`${folder}/`]),
    '--passWithNoTests',
    '--json',
    `--outputFile=${resolve('tmp/test-results', `${basename(folder)}.json`)}`,
    '--testLocationInResults=false',
    ...options,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
process.exit(status ?? 1);
