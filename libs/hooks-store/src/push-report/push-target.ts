import { isTaskUuid } from '../tasks/task-uuid';

const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/i;
const OF_BITBUCKET = /^https?:\/\/bitbucket\.org\/([^/\s]+\/[^/\s?#]+)/i;

/**
 * What a report is asked of, in a pasted text: `workspace/repository`, its address at Bitbucket, the
 * URL of a webhook, or the uuid of a hook.
 * @returns the repository or the uuid; undefined where there is none
 */
export function pushTarget(given: string): string | undefined {
  const repository = OF_BITBUCKET.exec(given)?.[1]?.replace(/\.git$/, '') ?? given;
  if (/^[^\s/:]+\/[^\s/]+$/.test(repository)) return repository;
  const uuid = UUID.exec(given)?.[0]?.toLowerCase() ?? given.replace(/^.*\/webhook\//, '');
  return isTaskUuid(uuid) ? uuid : undefined;
}
