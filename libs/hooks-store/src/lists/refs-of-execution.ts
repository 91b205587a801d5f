import { z } from 'zod';
import type { StoredExecution } from '../execution';
import type { KeptBody } from '../stored-execution-text';
import { parseJson } from '../unreadable/read-config';

const ref = z.object({ name: z.string() }).nullish().catch(undefined);
/** The branches and tags of a push. */
const push = z.object({
  push: z.object({ changes: z.array(z.object({ new: ref, old: ref }).catch({})) }),
});

const MAX_REFS = 20;
const MAX_LENGTH = 256;

/** Names of the branches and tags of an execution. */
export function refsOfExecution({ type, poll }: StoredExecution, body: KeptBody): string[] {
  if (poll) return [poll.ref.replace(/^refs\/(heads|tags)\//, '').slice(0, MAX_LENGTH)];
  if (type !== 'RepoWebHook') return [];
  const { data } = push.safeParse(parseJson(body.toString()));
  const names = (data?.push.changes ?? []).flatMap((change) => {
    const name = change.new?.name ?? change.old?.name;
    return name === undefined ? [] : [name.slice(0, MAX_LENGTH)];
  });
  return [...new Set(names)].slice(0, MAX_REFS);
}
