import * as z from 'zod';
import type { BbPullRequest, BbPullRequestEnd } from '../model';
import { accountAuthor } from './author';
import { htmlLink, text } from './text';

/** Names go into URLs and into memory; Bitbucket's have 62 characters on each side of the slash. */
const MAX_NAME = 512;

/** `repository` is null when the fork was deleted, `commit` when it cannot be found any more. */
const end = z
  .object({
    branch: z.object({ name: text }).catch({ name: '' }),
    commit: z.object({ hash: text }).catch({ hash: '' }),
    repository: z
      .object({ full_name: z.string().max(MAX_NAME) })
      .optional()
      .catch(undefined),
  })
  .transform(({ branch, commit, repository }): BbPullRequestEnd => ({
    repository: repository?.full_name,
    branch: branch.name,
    hash: commit.hash,
  }));

export const pullRequestSchema = z
  .object({
    id: z.number().int(),
    title: text,
    state: z.string(),
    author: accountAuthor,
    updated_on: text,
    source: end,
    destination: end,
    links: htmlLink,
  })
  .transform(({ links: htmlUrl, updated_on: updatedOn, ...rest }): BbPullRequest => ({
    ...rest,
    htmlUrl,
    updatedOn,
  }));

const END_FIELDS = ['branch.name', 'commit.hash', 'repository.full_name'];

export const PULL_REQUEST_FIELDS = [
  'id,title,state,links.html.href,author,updated_on',
  ...END_FIELDS.map((field) => `source.${field}`),
  ...END_FIELDS.map((field) => `destination.${field}`),
].join(',');
