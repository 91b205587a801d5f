import type { VcsCommit, VcsPullRequest } from '@cds/wire';
import { z } from 'zod';

const author = z.object({
  name: z.string(),
  displayName: z.string(),
  emailAddress: z.string(),
  avatar: z.string(),
});
const commit: z.ZodType<VcsCommit> = z.object({
  id: z.string(),
  author,
  authorTimestamp: z.number(),
  message: z.string(),
  url: z.string(),
});
const branch = z.object({
  id: z.string(),
  display_id: z.string(),
  latest_commit: z.string(),
  default: z.boolean(),
  parents: z.array(z.string()).nullable(),
});
const end = z.object({ repo: z.string(), branch, commit, clone_url: z.string() });
const pullRequest: z.ZodType<VcsPullRequest> = z.object({
  id: z.number(),
  url: z.string(),
  user: author,
  head: end,
  base: end,
  title: z.string(),
  merged: z.boolean(),
  closed: z.boolean(),
});

/** Something that happened in a repository. The API gets it, and gives it back as it was. */
export const repositoryEventSchema = z.discriminatedUnion('kind', [
  /** `ref` is whole: `refs/heads/NAME` or `refs/tags/NAME`. */
  z.object({ kind: z.enum(['create', 'push']), ref: z.string(), commit }),
  z.object({ kind: z.literal('delete'), ref: z.string() }),
  z.object({ kind: z.literal('pullrequest'), action: z.enum(['opened', 'edited']), pullRequest }),
]);
export type RepositoryEvent = z.infer<typeof repositoryEventSchema>;
