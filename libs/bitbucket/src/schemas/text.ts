import * as z from 'zod';

/** More than Bitbucket puts into any list or page of one. */
const MAX_VALUES = 1_000;

/** At most 1,000 values. The length is checked first: zod would note every wrong value. */
export function boundedArray<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(z.unknown()).max(MAX_VALUES).pipe(z.array(item));
}

/** A string that nothing depends on: '' when it is absent, null or something else. */
export const text = z.string().catch('');

/** A string that may be absent or null; '' counts as absent. */
export const optionalText = text.transform((value) => value || undefined);

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
