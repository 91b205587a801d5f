import type { BbSourceEntry } from '@cds/bitbucket';
import { CdsError } from '@cds/wire';
import type { GrantedCall } from '../servers/granted-route';
import { requireEntries } from './content-routes';

/** Files of one archive; each costs a call of Bitbucket, which allows a thousand an hour. */
export const MAX_FILES = 300;
export const MAX_FILE_BYTES = 4 * 1024 * 1024;
export const MAX_ARCHIVE_BYTES = 32 * 1024 * 1024;
/** Directories included. */
const MAX_ENTRIES = 1_000;
/** Bitbucket may give up (555) on deeper lists of large repositories. */
const DEPTH = 6;
/** Lists of one archive: deeper directories have lists of their own. */
const MAX_LISTS = 20;

/**
 * The regular files of a directory and of all below it. Symbolic links, submodules and files of Git
 * LFS are left out: what they mean is elsewhere.
 * @throws CdsError 400 when there is more than an archive may hold
 */
export async function listFiles(
  { bitbucket, repo, ctx }: GrantedCall,
  commit: string,
  path: string,
): Promise<BbSourceEntry[]> {
  const all = new Map<string, BbSourceEntry>();
  const unread = [path];
  for (let lists = 1; ; lists += 1) {
    const directory = unread.shift();
    if (directory === undefined) break;
    if (lists > MAX_LISTS) throw tooMuch(`directories deeper than ${DEPTH} levels`, path);
    const bounds = { maxDepth: DEPTH, limit: MAX_ENTRIES + 1 };
    const entries = await bitbucket.listSource(repo, commit, directory, bounds, ctx);
    requireEntries(entries, directory);
    for (const entry of entries) all.set(entry.path, entry);
    if (all.size > MAX_ENTRIES) throw tooMuch(`more than ${MAX_ENTRIES} entries`, path);
    unread.push(...unlisted(entries));
  }
  const files = [...all.values()].filter(({ kind }) => kind === 'file');
  requireBounds(files, path);
  return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** Directories of which no entry is listed: git has no empty ones, so they are below the depth. */
function unlisted(entries: readonly BbSourceEntry[]): string[] {
  const parents = new Set(entries.map(({ path }) => path.slice(0, path.lastIndexOf('/'))));
  return entries
    .filter(({ kind, path }) => kind === 'directory' && !parents.has(path))
    .map(({ path }) => path);
}

function requireBounds(files: readonly BbSourceEntry[], path: string): void {
  if (files.length > MAX_FILES) throw tooMuch(`more than ${MAX_FILES} files`, path);
  const large = files.find(({ size }) => size > MAX_FILE_BYTES);
  if (large) throw tooMuch(`a file of ${large.size} bytes (${large.path})`, path);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MAX_ARCHIVE_BYTES) throw tooMuch(`${bytes} bytes`, path);
}

function tooMuch(what: string, path: string): CdsError {
  return new CdsError('wrongRequest', {
    from: `${path || 'the repository'} has ${what}: an archive holds at most ${MAX_FILES} files of ${MAX_FILE_BYTES} bytes, ${MAX_ARCHIVE_BYTES} bytes in all; keep other files elsewhere`,
  });
}
