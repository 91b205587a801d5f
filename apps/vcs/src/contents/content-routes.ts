import type { BbSourceEntry } from '@cds/bitbucket';
import type { Router } from '@cds/service';
import { CdsError, type VcsContent, vcsContentSchema } from '@cds/wire';
import * as z from 'zod';
import { refName } from '../http/repository-ref';
import { queryText, repositoryParams } from '../http/route-params';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { baseName, readCommit, sourcePath } from './source-path';

/** Entries of one list. */
const MAX_ENTRIES = 1_000;
/** CDS reads a version from it: a chart, a package, a version file. */
export const MAX_CONTENT_BYTES = 1024 * 1024;

const pathParams = repositoryParams.extend({
  path: z.string().meta({ description: 'From the root of the repository, slashes escaped.' }),
});
const commitQuery = z.object({
  commit: queryText('The hash of the commit, or a branch or a tag.').refine(
    (commit) => commit !== '',
    'is missing: name the commit',
  ),
});
const position = (description: string) =>
  queryText(description)
    .refine((text) => /^\d{0,9}$/.test(text), 'is no number')
    .transform(Number);
const listQuery = commitQuery.extend({
  offset: position('The entries to leave out.'),
  limit: position(`The most entries to list; ${MAX_ENTRIES} when it is 0 or not given.`),
});

/** What is in a directory of a commit, and the text of a file. */
export function addContentRoutes(router: Router, deps: RouteDeps): void {
  router.get(
    '/vcs/:name/repos/:owner/:repo/contents/:path',
    {
      summary: 'Lists a directory of a commit',
      params: pathParams,
      query: listQuery,
      answer: z.array(vcsContentSchema),
      errors: ['notFound'],
    },
    grantedRoute(deps, 'repositoryNotFound', async (call, { params, query }) => {
      const { commit: ref, offset, limit } = query(call.req);
      const [path, commit] = [sourcePath(params(call.req).path), refName(ref)];
      const end = offset + (limit || MAX_ENTRIES);
      // One more shows that there are too many: an end that is none hides the others.
      const asked = Math.min(end, MAX_ENTRIES + 1);
      const bounds = { maxDepth: 1, limit: asked };
      const entries = await readCommit(call, { commit, path }, () =>
        call.bitbucket.listSource(call.repo, commit, path, bounds, call.ctx),
      );
      requireEntries(entries, path);
      if (entries.length > MAX_ENTRIES)
        throw new CdsError('wrongRequest', {
          from: `${path || 'the repository'} has more than ${MAX_ENTRIES} entries: put them into directories of their own`,
        });
      return entries.slice(offset, end).map((entry) => toVcsContent(entry, ''));
    }),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/content/:path',
    {
      summary: 'Reads a file of a commit',
      description: `Text of at most ${MAX_CONTENT_BYTES} bytes.`,
      params: pathParams,
      query: commitQuery,
      answer: vcsContentSchema,
      errors: ['notFound'],
    },
    grantedRoute(deps, 'repositoryNotFound', async (call, { params, query }) => {
      const { bitbucket, req, repo, ctx } = call;
      const [path, commit] = [sourcePath(params(req).path), refName(query(req).commit)];
      return readCommit(call, { commit, path }, async () => {
        const entry = await bitbucket.getSourceEntry(repo, commit, path, ctx);
        if (entry.kind === 'directory') return toVcsContent(entry, '');
        requireReadable(entry);
        const bytes = await bitbucket.readSource(repo, commit, path, ctx);
        return toVcsContent(entry, textOf(bytes, entry));
      });
    }),
  );
}

function toVcsContent(entry: BbSourceEntry, content: string): VcsContent {
  return {
    Name: baseName(entry.path),
    IsDirectory: entry.kind === 'directory',
    IsFile: entry.kind === 'file',
    Content: content,
  };
}

/**
 * Git has no empty directories: an empty list says nothing about the commit.
 * @throws CdsError 502
 */
export function requireEntries(entries: readonly BbSourceEntry[], path: string): void {
  if (entries.length > 0 || path === '') return;
  throw new CdsError('badGateway', {
    from: `(bitbucketcloud_error) Bitbucket lists nothing in ${path}: repeat the call later`,
  });
}

function requireReadable({ kind, path, size }: BbSourceEntry): void {
  if (kind !== 'file')
    throw new CdsError('wrongRequest', {
      from: `${path} is no file of the repository itself (${kind})`,
    });
  if (size > MAX_CONTENT_BYTES)
    throw new CdsError('wrongRequest', {
      from: `${path} has ${size} bytes: at most ${MAX_CONTENT_BYTES} are read`,
    });
}

function textOf(bytes: Buffer, { path }: BbSourceEntry): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CdsError('wrongRequest', { from: `${path} is no text in UTF-8`, cause: error });
  }
}
