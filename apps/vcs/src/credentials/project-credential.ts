import { hash } from 'node:crypto';
import { CdsError } from '@cds/wire';
import type { Logger } from '@cds/service';
import type { CallCredential } from './call-credential';
import { adviceOnForbidden, adviceOnUnauthorized, isOfTheCallAlone } from './project-advice';
import type { VcsProject } from './project-headers';
import type { Refusals } from './refusals';

/** Names the credential of a VCS project without its secrets. */
export function projectKey({ apiUrl, user = '', token, part }: VcsProject): string {
  return `vcs-project:${hash('sha256', JSON.stringify([apiUrl, user, token, part ?? null]))}`;
}

/** Whether a {@link CallCredential.key} is that of a VCS project. */
export function isProjectKey(key: string): boolean {
  return key.startsWith('vcs-project:');
}

/**
 * Names whose calls Bitbucket counts together: those of a user, whatever the API token, and those
 * of one access token. https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/
 */
export function countedTogether({ user, token }: VcsProject): string {
  return user === undefined
    ? `token:${hash('sha256', token)}`
    : `user:${hash('sha256', user.toLowerCase())}`;
}

/**
 * The credential of a VCS project: one token, which is never renewed. While Bitbucket refuses it,
 * it is sent ever more rarely.
 * @throws CdsError 401 id 44 (by its methods) with what to do about it
 */
export function createProjectCredential(
  deps: { refusals: Refusals; logger: Logger; onRefused(): void },
  project: VcsProject,
): CallCredential {
  const { refusals, logger, onRefused } = deps;
  const { user, token } = project;
  const key = projectKey(project);
  let wasUsed = false;

  return {
    user,
    key,
    sender: key,
    get lastUsed() {
      return wasUsed ? token : undefined;
    },
    newAccessToken: undefined,
    noteCoalesced(used) {
      wasUsed ||= used !== undefined;
    },
    adviceOn: (refusal) => adviceOnForbidden(project, refusal),
    async current() {
      if (token === '')
        throw new CdsError('credentialRefused', {
          from: 'it has no token: import the VCS project again with one',
        });
      const known = refusals.reasonToWait(key);
      if (known !== undefined) throw new CdsError('credentialRefused', { from: known });
      wasUsed = true;
      return token;
    },
    async renew(_rejected, _ctx, refusal) {
      const from = adviceOnUnauthorized(project, refusal);
      if (!isOfTheCallAlone(project, refusal)) {
        refusals.add(key, from);
        onRefused();
        logger.warn({ credential: key, err: refusal }, 'credential of a VCS project refused');
      }
      throw new CdsError('credentialRefused', { from, cause: refusal });
    },
  };
}
