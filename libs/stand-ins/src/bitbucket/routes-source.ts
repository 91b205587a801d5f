import type { Request, RequestHandler, Response } from 'express';
import { BitbucketApiError } from './api-error';
import {
  type ApiContext,
  listing,
  repositoryOf,
  requireScopesOf,
  type Routes,
} from './api-context';
import type { Json, Repository } from './model';
import { queryOf } from './pagination';
import { selectFields } from './partial-response';
import { commitInPath } from './routes-commits';
import { isDirectory, listTree, type SourceTree } from './source-tree';

/** Where the files of Git LFS are: another host, to which no token may go. */
const LFS = 'https://api.media.atlassian.com/file';
/** Bitbucket gives up on deep lists of large repositories. */
const DEEP = 20;

type SourceRequest = Request<Record<string, string>>;

/** Directories and files of a commit. */
export const sourceRoutes: Routes = (router, context) => {
  const source: RequestHandler = (request, response) => {
    requireScopesOf(response, ['repository']);
    answerSource(context, request as SourceRequest, response);
  };
  router.get('/repositories/:workspace/:slug/src/:commit/', source);
  router.get('/repositories/:workspace/:slug/src/:commit/*path', source);
};

function answerSource(context: ApiContext, request: SourceRequest, response: Response): void {
  const repository = repositoryOf(context, request);
  const { hash, files } = commitInPath(repository, request);
  const { path: given = [] } = request.params as unknown as { path?: string[] };
  const path = given.filter((segment) => segment !== '').join('/');
  const file = files.get(path);
  // A slash at the end asks for a directory.
  if (file ? given.at(-1) === '' : !isDirectory(files, path))
    throw new BitbucketApiError(404, `No such file or directory: ${given.join('/')}`);
  const json = jsonOf(context, repository, hash, files);
  const query = queryOf(request);
  const format = query.get('format');
  if (format !== null && format !== 'meta')
    throw new BitbucketApiError(400, `Unsupported format: ${format}`);
  if (format === 'meta')
    return send(request, response, file ? json.toFile(path) : json.toDirectory(path));
  if (!file) {
    const entries = listTree(files, path, depthOf(query.get('max_depth')), json);
    return send(request, response, listing(context, request, entries));
  }
  if (file.attributes?.includes('lfs')) return response.redirect(301, `${LFS}/${hash}`);
  response.attachment(path.slice(path.lastIndexOf('/') + 1));
  if (!response.getHeader('Content-Type')) response.type('application/octet-stream');
  response.send(Buffer.from(file.content));
}

function send(request: Request, response: Response, answer: Json): void {
  const fields = queryOf(request).get('fields');
  response.json(fields === null ? answer : selectFields(answer, fields));
}

/** @throws BitbucketApiError 400 for no number, 555 for a depth that takes too long */
function depthOf(text: string | null): number {
  if (text === null) return 1;
  const depth = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (depth < 1) throw new BitbucketApiError(400, 'Invalid max_depth');
  if (depth > DEEP) throw new BitbucketApiError(555, 'The server took too long to respond.');
  return depth;
}

function jsonOf(
  { render }: ApiContext,
  repository: Repository,
  hash: string,
  files: SourceTree,
): Record<'toFile' | 'toDirectory', (path: string) => Json> {
  const common = (path: string): Json => ({
    path,
    commit: render.commitBrief(repository, hash),
    links: {
      self: render.apiOf(repository, `/src/${hash}/${path}`),
      meta: render.apiOf(repository, `/src/${hash}/${path}?format=meta`),
    },
  });
  return {
    toDirectory: (path) => ({ type: 'commit_directory', ...common(path) }),
    toFile(path) {
      const { content = '', attributes = [] } = files.get(path) ?? {};
      return {
        type: 'commit_file',
        ...common(path),
        attributes: [...attributes],
        size: Buffer.byteLength(content),
        escaped_path: path,
      };
    },
  };
}
