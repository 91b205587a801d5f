import { z } from 'zod';
import type { StoredExecution } from '../execution';

/** As much of a push as tells whether it leads to a run. */
const push = z.object({
  push: z.object({ changes: z.array(z.object({ new: z.unknown().optional() })) }),
});

/**
 * Why an execution cannot be replayed: it would lead to no run. A replay never removes the runs of
 * a deleted branch, which may have been pushed again since.
 *
 * @returns a sentence; undefined when it can be
 */
export function whyNoReplay({ type, webhook, poll }: StoredExecution): string | undefined {
  if (poll)
    return poll.kind === 'delete'
      ? 'it tells of a deleted branch, and a replay removes nothing: it starts no run'
      : undefined;
  if (type === 'Webhook' || type === 'Scheduler' || type === 'RabbitMQ') return undefined;
  if (type !== 'RepoWebHook' || !webhook) return `executions of type ${type} cannot be replayed`;
  const { request_header = {} } = webhook as Partial<typeof webhook>;
  const event = request_header['X-Event-Key']?.[0] ?? '';
  if (event !== 'repo:push') {
    return `the delivery is no push (${JSON.stringify(event.slice(0, 100))}): it starts no run`;
  }
  const parsed = push.safeParse(parseBody(webhook.request_body));
  if (!parsed.success) return 'the delivery cannot be read as a push: it starts no run';
  return parsed.data.push.changes.some((change) => change.new)
    ? undefined
    : 'the delivery only tells of deleted branches or tags, and a replay removes nothing: it starts no run';
}

function parseBody(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}
