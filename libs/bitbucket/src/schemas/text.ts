import { z } from 'zod';
import { boundedArray } from './bounded-array';

/** A string that nothing depends on: '' when it is absent, null or something else. */
export const text = z.string().catch('');

/** A string that may be absent or null; '' counts as absent. */
export const optionalText = z
  .string()
  .optional()
  .catch(undefined)
  .transform((value) => (value === '' ? undefined : value));

/** `{ href }` of a link; '' when absent. */
export const href = z
  .object({ href: z.string() })
  .transform((link) => link.href)
  .catch('');

export const htmlLink = z
  .object({ html: href })
  .transform((links) => links.html)
  .catch('');

/** `[{ hash }]`, as Bitbucket writes the parents of a commit. */
export const hashes = boundedArray(
  z.object({ hash: z.string() }).transform((commit) => commit.hash),
).catch([]);
