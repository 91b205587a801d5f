import * as z from 'zod';
import type { BbBranch, BbRef, BbTag } from '../model';
import { gitAuthor } from './author';
import { hashes, htmlLink, optionalText, text } from './text';

const target = z.object({ hash: z.string(), parents: hashes });

export const branchSchema = z
  .object({ name: z.string(), target })
  .transform(({ name, target: commit }): BbBranch => ({ name, ...commit }));

export const BRANCH_FIELDS = 'name,target.hash,target.parents.hash';

/** A branch and the time of its last commit: milliseconds since 1970, 0 where not known. */
export interface DatedBranch {
  branch: BbBranch;
  committedAt: number;
}

export const datedBranchSchema = z
  .object({ name: z.string(), target: target.extend({ date: text }) })
  .transform(({ name, target: { date, ...commit } }): DatedBranch => ({
    branch: { name, ...commit },
    committedAt: Date.parse(date) || 0,
  }));

export const DATED_BRANCH_FIELDS = `${BRANCH_FIELDS},target.date`;

/** `message`, `date` and `tagger` are null in a lightweight tag. */
export const tagSchema = z
  .object({
    name: z.string(),
    message: text,
    date: optionalText,
    tagger: gitAuthor,
    target: z.object({ hash: z.string(), author: gitAuthor }),
  })
  .transform(({ name, message, date, tagger, target: { hash, author } }): BbTag => ({
    ...{ name, message, hash, author },
    date,
    tagger: tagger.raw !== '' || tagger.displayName !== '' ? tagger : undefined,
  }));

export const TAG_FIELDS = 'name,message,date,tagger,target.hash,target.author';

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
  .transform(({ type, name, target: { links: htmlUrl, ...commit } }): BbRef => ({
    type,
    name,
    commit: { ...commit, htmlUrl },
  }));

export const REF_FIELDS =
  'type,name,target.hash,target.date,target.message,target.author,target.links.html.href';
