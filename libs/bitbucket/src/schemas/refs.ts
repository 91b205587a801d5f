import { z } from 'zod';
import type { BbBranch, BbRef, BbTag } from '../model';
import { gitAuthor } from './author';
import { hashes, htmlLink, optionalText, text } from './text';

export const branchSchema = z
  .object({
    name: z.string(),
    target: z.object({ hash: z.string(), parents: hashes }),
  })
  .transform(({ name, target }): BbBranch => ({
    name,
    hash: target.hash,
    parents: target.parents,
  }));

export const BRANCH_FIELDS = ['name', 'target.hash', 'target.parents.hash'] as const;

/** A branch and the time of its last commit: milliseconds since 1970, 0 where not known. */
export interface DatedBranch {
  branch: BbBranch;
  committedAt: number;
}

const commitDate = z.object({ target: z.object({ date: text }) });

export const datedBranchSchema = z.unknown().transform((value, context): DatedBranch => {
  const branch = branchSchema.safeParse(value);
  if (!branch.success) {
    branch.error.issues.forEach(({ path, message }) =>
      context.addIssue({ code: 'custom', path, message }),
    );
    return z.NEVER;
  }
  const date = Date.parse(commitDate.safeParse(value).data?.target.date ?? '');
  return { branch: branch.data, committedAt: Number.isNaN(date) ? 0 : date };
});

export const DATED_BRANCH_FIELDS = [...BRANCH_FIELDS, 'target.date'];

/** `message`, `date` and `tagger` are null in a lightweight tag. */
export const tagSchema = z
  .object({
    name: z.string(),
    message: text,
    date: optionalText,
    tagger: gitAuthor,
    target: z.object({ hash: z.string(), author: gitAuthor }),
  })
  .transform(({ name, message, date, tagger, target }): BbTag => ({
    name,
    message,
    hash: target.hash,
    author: target.author,
    ...(date !== undefined && { date }),
    ...((tagger.raw !== '' || tagger.displayName !== '') && { tagger }),
  }));

export const TAG_FIELDS = [
  'name',
  'message',
  'date',
  'tagger',
  'target.hash',
  'target.author',
] as const;

/** Other kinds of refs (Mercurial's bookmarks) are gone since 2020. */
export const refSchema = z
  .object({
    type: z.enum(['branch', 'tag']),
    name: z.string(),
    target: z.object({
      hash: z.string(),
      date: text,
      message: text,
      author: gitAuthor,
      links: htmlLink,
    }),
  })
  .transform(({ type, name, target: { links, ...commit } }): BbRef => ({
    type,
    name,
    commit: { ...commit, htmlUrl: links },
  }));

export const REF_FIELDS = [
  'type',
  'name',
  'target.hash',
  'target.date',
  'target.message',
  'target.author',
  'target.links.html.href',
] as const;
