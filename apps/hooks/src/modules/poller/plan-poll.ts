import { type DeliveryPlan, parseJson, type PolledChange, shortRef } from '@cds/hooks-store';
import type { HookConfig, TaskType } from '@cds/wire';
import * as z from 'zod';
import { flattenJsonText } from '../../payloads/flatten-json';
import { MalformedExecutionError } from '../../payloads/malformed-execution';

const text = z.string().catch('');
const author = z.object({ name: text, displayName: text, emailAddress: text });

/** What the payload needs of a push. */
const pushSchema = z.object({
  repo: text,
  commit: z.object({ author, message: text }),
});

export interface ChangeToPlan {
  type: TaskType;
  config: HookConfig;
  poll: PolledChange;
}

/**
 * Plans a change that a poll found: a run for a push; for a repository webhook also the cleanup of
 * a deleted branch.
 *
 * The payload is that of CDS 0.41 for pollers, over the flattened `payload` of the configuration:
 * `git.author` (and `.email`) of the commit, `git.branch` or `git.tag`, `git.hash`,
 * `git.hash.short`, `git.message`, `git.repository`, `cds.triggered_by.*` of the commit's author,
 * and the event as JSON in `payload`. For a repository webhook `git.hash.before` is unknown and
 * empty.
 *
 * @throws MalformedExecutionError
 */
export function planPoll({ type, config, poll }: ChangeToPlan): DeliveryPlan {
  const repository = config.repoFullName?.value ?? '';
  const ref = shortRef(poll.ref);
  const branch = 'branch' in ref ? ref.branch : undefined;
  if (poll.kind === 'delete') {
    return { repository, steps: branch === undefined ? [] : [{ type: 'delete-branch', branch }] };
  }
  const payload = payloadOf({ type, config, poll }, repository);
  const isOfBranch = type === 'RepoWebHook' && branch !== undefined;
  return {
    repository,
    steps: [isOfBranch ? { type: 'run', payload, branch } : { type: 'run', payload }],
  };
}

/** @throws MalformedExecutionError when the configured payload cannot be flattened */
export function checkPollPayload(config: HookConfig): void {
  flattenJsonText(config.payload?.value ?? '{}', 'payload: ');
}

function payloadOf(
  { type, config, poll }: ChangeToPlan,
  repository: string,
): Record<string, string> {
  const push = readPush(poll.event);
  const { message, author: by } = push.commit;
  // An author without an account at Bitbucket has a display name only.
  const name = by.name || by.displayName;
  const ref = shortRef(poll.ref);
  // Not assigned, so that `__proto__` is a name like any other.
  return Object.fromEntries<string>([
    ...(type === 'RepoPoller' ? flattenJsonText(config.payload?.value ?? '{}', 'payload: ') : []),
    ['cds.triggered_by.email', by.emailAddress],
    ['cds.triggered_by.fullname', name],
    ['cds.triggered_by.username', by.displayName || name],
    ['git.author', name],
    ['git.author.email', by.emailAddress],
    'branch' in ref ? ['git.branch', ref.branch] : ['git.tag', ref.tag],
    ['git.hash', poll.hash],
    ...(type === 'RepoWebHook' ? [['git.hash.before', ''] as const] : []),
    ['git.hash.short', poll.hash.slice(0, 7)],
    ['git.message', message],
    ['git.repository', push.repo || repository],
    ['payload', poll.event],
  ]);
}

function readPush(event: string): z.infer<typeof pushSchema> {
  const parsed = pushSchema.safeParse(parseJson(event));
  if (parsed.success) return parsed.data;
  throw new MalformedExecutionError('the change that was found is no push: it starts no run');
}
