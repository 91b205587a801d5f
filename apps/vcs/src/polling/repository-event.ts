import { vcsCommitSchema, vcsPullRequestSchema } from '@cds/wire';
import { z } from 'zod';

/** A change in a repository. The API receives it and returns it unchanged. */
export const repositoryEventSchema = z.discriminatedUnion('kind', [
  /** `ref` is whole: `refs/heads/NAME` or `refs/tags/NAME`. */
  z.object({ kind: z.enum(['create', 'push']), ref: z.string(), commit: vcsCommitSchema }),
  z.object({ kind: z.literal('delete'), ref: z.string() }),
  z.object({
    kind: z.literal('pullrequest'),
    action: z.enum(['opened', 'edited']),
    pullRequest: vcsPullRequestSchema,
  }),
]);
export type RepositoryEvent = z.infer<typeof repositoryEventSchema>;
