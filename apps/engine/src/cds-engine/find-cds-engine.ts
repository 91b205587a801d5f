import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { Context } from '../context';

/** What an operator without that binary can do. */
export const HOW_TO_GET_CDS_ENGINE =
  'Download the engine of your CDS version from https://github.com/ovh/cds/releases, then ' +
  'name it in CDS_ENGINE, or put it on PATH as cds-engine';

/**
 * Set for processes of that binary: if it is this command after all, it must not start it again.
 */
const CALLED_BY_US = 'CDS_BITBUCKET_ENGINE_CALLS';

/**
 * Finds the binary of CDS itself: `CDS_ENGINE`, else `cds-engine` or `engine` on PATH, never this
 * command under any name or link; else a `reason`.
 */
export function findCdsEngine(
  context: Pick<Context, 'env' | 'ownFiles' | 'home'>,
): { path: string } | { reason: string } {
  const { env } = context;
  if (env[CALLED_BY_US])
    return { reason: 'what was taken for the engine of CDS is this command: correct CDS_ENGINE.' };
  const own = ownRealPaths(context);
  if (env.CDS_ENGINE) {
    const named = `CDS_ENGINE names ${env.CDS_ENGINE}, which is`;
    if (!isExecutable(env.CDS_ENGINE)) return { reason: `${named} not an executable file.` };
    if (isOurs(env.CDS_ENGINE, own))
      return {
        reason: `${named} this command and not the engine of CDS. ${HOW_TO_GET_CDS_ENGINE}.`,
      };
    // What was looked at is what is started: a bare name would be searched on PATH.
    return { path: resolve(env.CDS_ENGINE) };
  }
  // An empty entry of PATH would mean the current folder: nothing is started from there.
  const folders = (env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const path = ['cds-engine', 'engine']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((candidate) => isExecutable(candidate) && !isOurs(candidate, own));
  return path
    ? { path }
    : { reason: `the engine of CDS itself was not found. ${HOW_TO_GET_CDS_ENGINE}.` };
}

/** The environment for a process of that binary. */
export function cdsEngineEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [CALLED_BY_US]: '1' };
}

function ownRealPaths({ env, ownFiles, home }: Pick<Context, 'env' | 'ownFiles' | 'home'>) {
  const files = [
    ...ownFiles,
    // What npm puts on PATH in a checkout: it starts this bundle.
    join(home, '..', '..', '..', 'tools', 'setup', 'engine.mjs'),
    ...(env.CDS_BITBUCKET_ENGINE ?? '').split(delimiter).filter((file) => file !== ''),
  ];
  return new Set(files.map(realPath).filter((file) => file !== undefined));
}

/** Whether it is this command or another copy of it (an installed package, a shim). */
function isOurs(file: string, own: ReadonlySet<string>): boolean {
  const real = realPath(file);
  if (real === undefined || own.has(real)) return true;
  const head = readHead(real);
  if (!head.startsWith('#!')) return false;
  const [shebang = ''] = head.split('\n');
  return (
    /\bnode\b/.test(shebang) ||
    /tools\/setup\/engine\.mjs|apps\/engine\/main\.js|cds-bitbucket-cloud/.test(head)
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

function readHead(file: string): string {
  const buffer = Buffer.alloc(4096);
  try {
    const descriptor = openSync(file, 'r');
    try {
      return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Executable and not readable: a binary, then.
    return '';
  }
}
