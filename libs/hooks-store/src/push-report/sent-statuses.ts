import { vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { parseJson } from '../unreadable/read-config';
import type { CommitStatus, HookReport } from './push-report';

/** A build status as vcs stored it when Bitbucket took it. */
const sentStatusSchema = z.object({
  state: z.string(),
  description: z.string(),
  number: z.number(),
  at: z.number().optional(),
});

/** Adds what Bitbucket was sent of the commits. @param redis of `vcs`, which has it for 30 days */
export async function readSentStatuses(
  redis: Redis,
  { repository, events }: HookReport,
): Promise<void> {
  for (const event of events) {
    if (event.kind === 'refusal') continue;
    const hashes = new Set(event.changes.map(({ hash }) => hash).filter((hash) => hash !== ''));
    const found: [string, CommitStatus[]][] = [];
    for (const hash of hashes) {
      const stored = await redis.hgetall(vcsKeys.statusesOfCommit(repository, hash));
      found.push([hash, Object.entries(stored).flatMap(([key, text]) => statusOf(key, text))]);
    }
    event.statuses = Object.fromEntries(found);
  }
}

function statusOf(key: string, text: string): CommitStatus[] {
  const { data } = sentStatusSchema.safeParse(parseJson(text));
  if (!data) return [];
  const { state, description, number, at } = data;
  const sent_at = at === undefined ? '' : new Date(at).toISOString();
  return [{ key, state, description, workflow_run: number, sent_at }];
}
