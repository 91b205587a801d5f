import type { Cleanup } from './cleanup';
import { hookKeys } from '../redis-keys';
import { unlessOfAnotherType } from '../pipeline-replies';
import { readTaskConfig } from '../unreadable/read-config';
import type { Redis } from 'ioredis';
import { branchRef } from '../changes/change-name';

/**
 * Finds a hook at which the branch of a cleanup exists, by its last accepted change. At hooks of
 * the same repository only a change after the deletion counts; a branch of the same name in another
 * repository is another branch, and exists until its own deletion.
 * @param hooks of the workflow, the one of the cleanup among them
 * @returns the uuid of such a hook; undefined where none is known
 */
export async function findBranchElsewhere(
  redis: Redis,
  cleanup: Pick<Cleanup, 'hook' | 'branch' | 'accepted' | 'repository'>,
  hooks: ReadonlySet<string>,
): Promise<string | undefined> {
  const looked = await Promise.all(
    [...hooks].map(async (uuid) => {
      const { refs } = hookKeys(uuid);
      const [last, config] = await Promise.all([
        unlessOfAnotherType(redis.hget(refs, branchRef(cleanup.branch))),
        readTaskConfig(redis, uuid),
      ]);
      return { uuid, last, repository: config?.repoFullName?.value };
    }),
  );
  const own = looked.find(({ uuid }) => uuid === cleanup.hook)?.repository ?? cleanup.repository;
  const found = looked.find(({ uuid, last, repository }) => {
    const [, commit = '', id = ''] = />([^:>]*):(\d+)$/.exec(last ?? '') ?? [];
    const isSame = uuid === cleanup.hook || repository?.toLowerCase() === own.toLowerCase();
    return commit !== '' && (!isSame || Number(id) > Number(cleanup.accepted));
  });
  return found?.uuid;
}
