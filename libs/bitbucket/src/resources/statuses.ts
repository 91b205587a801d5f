import type { BitbucketClient } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { BitbucketError } from '../http/bitbucket-error';
import { collectPages, listQuery } from '../http/paginate';
import type { NewStatus } from '../model';
import { callName, repoPath, routes } from '../routes';
import { STATUS_FIELDS, statusSchema } from '../schemas/status';
import type { Refs } from './refs';

const MAX_KEY = 40;

export function createStatuses(
  http: ApiHttp,
  resolveRevision: Refs['resolveRevision'],
): Pick<BitbucketClient, 'listStatuses' | 'postStatus'> {
  return {
    async listStatuses(repo, revision, ctx) {
      const commit = await resolveRevision(repo, revision, ctx);
      const query = listQuery(100, STATUS_FIELDS, 'created_on');
      // By the time they were made: new ones come at the end, none goes, and none can come twice.
      const identity = () => '';
      const call = { path: repoPath(repo, { commit }), query, item: statusSchema, identity };
      return collectPages(http, routes.listStatuses, call, ctx);
    },
    async postStatus(repo, hash, status, ctx) {
      requireShortKey(status.key);
      const path = repoPath(repo, { commit: hash });
      const answer = await http.call(routes.postStatus, { path, body: toBody(status) }, ctx);
      return { created: answer.status === 201 };
    },
  };
}

/** Bitbucket refuses longer keys; shortening here could make two statuses one. */
function requireShortKey(key: string): void {
  if (key !== '' && key.length <= MAX_KEY) return;
  throw new BitbucketError({
    kind: 'answer',
    call: callName(routes.postStatus),
    status: 400,
    bitbucketMessage:
      `the key of a build status has 1 to ${MAX_KEY} characters, this one has ${key.length}: ` +
      'shorten it, so that it stays distinct',
  });
}

function toBody({ key, state, url, name, description, refname }: NewStatus): NewStatus {
  return { key, state, url, name, description, ...(refname ? { refname } : {}) };
}
