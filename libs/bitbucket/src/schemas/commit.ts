import * as z from 'zod';
import type { BbCommit } from '../model';
import { gitAuthor } from './author';
import { hashes, htmlLink, text } from './text';

export const commitSchema = z
  .object({
    hash: z.string(),
    date: text,
    message: text,
    author: gitAuthor,
    parents: hashes,
    links: htmlLink,
  })
  .transform(({ links: htmlUrl, ...rest }): BbCommit => ({ ...rest, htmlUrl }));

export const COMMIT_FIELDS = 'hash,date,message,author,parents.hash,links.html.href';
