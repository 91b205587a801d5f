import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findRoot } from '../../sandbox/story/find-root';

export const root = findRoot(__dirname);

/** The built service, in `dist/apps` or in the folder that FAULTS_DIST names. @throws Error saying how to build it */
export function bundleOf(app: 'hooks' | 'vcs'): string {
  const file = join(process.env['FAULTS_DIST'] ?? join(root, 'dist', 'apps'), app, 'main.js');
  if (!existsSync(file))
    throw new Error(`${file} is missing: build it with \`npx nx run-many -t build -p hooks vcs\``);
  return file;
}
