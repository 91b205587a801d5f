import * as z from 'zod';
import type { StoredExecution } from '../execution';
import type { KeptBody } from '../stored-execution-text';
import { traitsOf } from '../task-type-traits';
import { parseJson } from '../unreadable/read-config';

const target = z.object({ hash: z.string() }).nullish().catch(undefined);
const ref = z.object({ name: z.string(), target }).nullish().catch(undefined);
/** The branches and tags of a push. */
const push = z.object({
  push: z.object({ changes: z.array(z.object({ new: ref, old: ref }).catch({})) }),
});

const MAX_REFS = 20;
const MAX_LENGTH = 256;

/** A branch or tag that an execution is about. */
export interface ListedChange {
  name: string;
  /** The commit where it stands; "" where it was deleted. */
  hash: string;
}

/** Names of the branches and tags of an execution. */
export function refsOfExecution(execution: StoredExecution, body: KeptBody): string[] {
  return [...new Set(changesOfExecution(execution, body).map(({ name }) => name))];
}

/** The branches and tags of an execution with their commits. */
export function changesOfExecution(
  { type, poll }: StoredExecution,
  body: KeptBody,
): ListedChange[] {
  if (poll) return [shownChange(poll.ref.replace(/^refs\/(heads|tags)\//, ''), poll.hash)];
  if (!traitsOf(type).takesPushes) return [];
  const { data } = push.safeParse(parseJson(body.toString()));
  const changes = (data?.push.changes ?? []).flatMap((change) => {
    const name = change.new?.name ?? change.old?.name;
    return name === undefined ? [] : [shownChange(name, change.new?.target?.hash ?? '')];
  });
  return changes.slice(0, MAX_REFS);
}

function shownChange(name: string, hash: string): ListedChange {
  return { name: name.slice(0, MAX_LENGTH), hash: hash.slice(0, MAX_LENGTH) };
}
