import { firstOf } from '@cds/service';
import { z } from 'zod';

const name = z.string().meta({
  description: 'Of the VCS server, as it stands in the configuration; case does not count.',
});
const owner = z.string().meta({ description: 'The workspace.' });
const repo = z.string().meta({ description: 'The slug of the repository.' });

/** The values in the path of what concerns a VCS server. */
export const serverParams = z.object({ name });

/** What is described alike of routes that only look for a VCS server. */
export const ofServer = { params: serverParams, errors: ['notFound'] } as const;

/** The values in the path of what concerns a repository. */
export const repositoryParams = z.object({ name, owner, repo });

/** A value of the query; "" when it is absent, the first when there are several. */
export function queryText(description: string) {
  return firstOf(z.string().default('')).meta({ description });
}
