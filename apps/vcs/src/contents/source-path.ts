import { isBitbucketError } from '@cds/bitbucket';
import { CdsError } from '@cds/wire';
import type { GrantedCall } from '../servers/granted-route';

const MAX_PATH = 4_096;

/**
 * A path from the root of the repository, without slashes around it; '' is the root.
 * @throws CdsError 400 for a path that leads out of the repository, or is none
 */
export function sourcePath(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (path.length > MAX_PATH || segments.includes('..') || path.includes('\0'))
    throw new CdsError('wrongRequest', {
      from: 'the path is none within a repository: name it from the root, without ..',
    });
  return segments.join('/');
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Reads from a commit. CDS takes every 404 for a commit without the path, and removes what it has
 * of it, so a 404 of Bitbucket about the repository or the commit is answered otherwise.
 * @throws CdsError 404 when only the path is missing, 403 when it is not known what the commit has
 */
export async function readCommit<T>(
  call: GrantedCall,
  at: { commit: string; path: string },
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    await call.bitbucket.getCommit(call.repo, at.commit, call.ctx);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CdsError('forbidden', {
      from: `(bitbucketcloud_error) commit ${at.commit} cannot be read: it is not in the repository, or the token of the project may not read the repository`,
      cause: error,
    });
  }
  throw new CdsError('notFound', { from: `${at.path || '/'} is not in commit ${at.commit}` });
}

function isNotFound(error: unknown): boolean {
  return isBitbucketError(error) && error.status === 404;
}
