import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRoot } from '../../sandbox/story/find-root';

export const root = findRoot(__dirname);

const APPS = ['hooks', 'vcs'] as const;
let kept: string | undefined;

function folderOf(app: (typeof APPS)[number]): string {
  return join(kept ?? process.env['FAULTS_DIST'] ?? join(root, 'dist', 'apps'), app);
}

/**
 * The built service, in `dist/apps` or in the folder that FAULTS_DIST names. @throws Error saying
 * how to build it
 */
export function bundleOf(app: (typeof APPS)[number]): string {
  const file = join(folderOf(app), 'main.js');
  if (!existsSync(file))
    throw new Error(`${file} is missing: build it with \`npx nx run-many -t build -p hooks vcs\``);
  return file;
}

/**
 * Copies the built services, so that all faults happen to the same ones, though somebody builds
 * meanwhile.
 *
 * @throws Error saying how to build them
 */
export function keepBundles(folder: string): void {
  const copies = join(folder, `services-${process.pid}`);
  for (const app of APPS) {
    bundleOf(app);
    cpSync(folderOf(app), join(copies, app), { recursive: true });
  }
  kept = copies;
  process.once('exit', () => rmSync(copies, { recursive: true, force: true }));
}

/**
 * The built `hooks` as of a version that keeps its state in another format, in a folder of its own.
 *
 * @throws Error when the bundle names its format no more as it did
 */
export function hooksOfFormat(format: string, folder: string): string {
  const copy = join(folder, `hooks-of-format-${format}`);
  cpSync(folderOf('hooks'), copy, { recursive: true });
  const file = join(copy, 'main.js');
  const text = readFileSync(file, 'utf8');
  // The build may break a long line within a text.
  const own = /\b(STATE_FORMAT\s*=\s*)(["'])(?:\\\n|\d)+\2/;
  if (!own.test(text)) throw new Error(`${file} does not name the format of its state`);
  writeFileSync(file, text.replace(own, `$1"${format}"`));
  return file;
}
