import { firstOf } from '@cds/service';
import * as z from 'zod';

const name = z.string().meta({
  description: 'The VCS server, as the configuration names it; case is ignored.',
});
const owner = z.string().meta({ description: 'The workspace.' });
const repo = z.string().meta({ description: 'The slug of the repository.' });

/** The path parameters of a route about a VCS server. */
export const serverParams = z.object({ name });

/** The description of a route that only looks for a VCS server. */
export const ofServer = { params: serverParams, errors: ['notFound'] } as const;

/** The path parameters of a route about a repository. */
export const repositoryParams = z.object({ name, owner, repo });

/** A text in a body of CDS: as in Go, what is absent is "". */
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** A query parameter; "" when it is absent, the first when there are several. */
export function queryText(description: string) {
  return firstOf(z.string().default('')).meta({ description });
}
