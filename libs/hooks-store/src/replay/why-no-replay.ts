import * as z from 'zod';
import type { StoredExecution } from '../execution';
import { traitsOf } from '../task-type-traits';
import { parseJson } from '../unreadable/read-config';

const push = z.object({
  push: z.object({ changes: z.array(z.object({ new: z.unknown().optional() })) }),
});

/**
 * Why an execution cannot be replayed: it would start no run. A replay never removes the runs of a
 * deleted branch, which may have been pushed again since.
 * @returns a sentence; undefined when it can be
 */
export function whyNoReplay({ type, webhook, poll }: StoredExecution): string | undefined {
  if (poll)
    return poll.kind === 'delete'
      ? 'the poll found a deleted branch: a replay removes nothing and starts no run'
      : undefined;
  const { takesPushes, isNotReplayed } = traitsOf(type);
  if (isNotReplayed || (takesPushes && !webhook))
    return `executions of type ${type} cannot be replayed`;
  if (!takesPushes) return undefined;
  const { request_header = {}, request_body = '' }: Partial<typeof webhook> = webhook ?? {};
  const event = request_header['X-Event-Key']?.[0] ?? '';
  if (event !== 'repo:push') {
    return `the delivery is no push (${JSON.stringify(event.slice(0, 100))}): it starts no run`;
  }
  const parsed = push.safeParse(parseJson(Buffer.from(request_body, 'base64').toString()));
  if (!parsed.success) return 'the delivery cannot be read as a push: it starts no run';
  return parsed.data.push.changes.some((change) => change.new)
    ? undefined
    : 'the delivery only deletes branches or tags: a replay removes nothing and starts no run';
}
