import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { BbSourceEntry } from '@cds/bitbucket';
import type { Router } from '@cds/service';
import { CdsError } from '@cds/wire';
import { createTarPacker } from 'modern-tar';
import * as z from 'zod';
import { refName } from '../http/repository-ref';
import { repositoryParams, text } from '../http/route-params';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import { listFiles, MAX_ARCHIVE_BYTES, MAX_FILE_BYTES, MAX_FILES } from './list-files';
import { readAhead } from './read-ahead';
import { readCommit, sourcePath } from './source-path';

/** Files that are read at a time. */
const READ_AHEAD = 8;
/** Archives of one commit are equal, byte by byte. */
const NO_TIME = new Date(0);

const FULL_HASH = /^[0-9a-f]{40}$/i;
const FORMATS = ['', 'tar.gz'];

const archiveSchema = z.object({
  path: text.meta({ description: 'The directory, from the root of the repository.' }),
  format: text.refine((format) => FORMATS.includes(format), 'is none that is made: ask for tar.gz'),
  commit: z.string().min(1).meta({ description: 'The hash of the commit, or a branch or a tag.' }),
});

/** `POST …/archive`: the files of a directory of a commit, as CDS reads workflows as code. */
export function addArchiveRoute(router: Router, deps: RouteDeps): void {
  router.post(
    '/vcs/:name/repos/:owner/:repo/archive',
    {
      summary: 'Packs a directory of a commit',
      description:
        'A gzipped tar of the regular files, paths from the root of the repository. At most ' +
        `${MAX_FILES} files of ${MAX_FILE_BYTES} bytes, ${MAX_ARCHIVE_BYTES} bytes in all. An ` +
        'archive that ends early, without the end of its gzip, is incomplete.',
      params: repositoryParams,
      body: archiveSchema,
      answer: z.unknown(),
      answerType: 'application/gzip',
      errors: ['notFound'],
    },
    grantedRoute(
      deps,
      'repositoryNotFound',
      async (call, { body }) => {
        const { path: given, commit: ref } = body(call.req);
        const [path, commit] = [sourcePath(given), refName(ref)];
        const at = { commit, path };
        const { hash, files } = await readCommit(call, at, async () => {
          const hash = await hashOf(call, commit);
          return { hash, files: await listFiles(call, hash, path) };
        });
        await sendArchive(call, files, hash);
      },
      { alone: true },
    ),
  );
}

/** The hash of a branch or a tag, which may move while its files are read. */
async function hashOf({ bitbucket, repo, ctx }: GrantedCall, commit: string): Promise<string> {
  if (FULL_HASH.test(commit)) return commit;
  return (await bitbucket.getCommit(repo, commit, ctx)).hash;
}

/** Answers when the first file is there: what fails before that is an error with its status. */
async function sendArchive(
  call: GrantedCall,
  files: readonly BbSourceEntry[],
  commit: string,
): Promise<void> {
  const { req, ctx } = call;
  const { res } = req;
  if (!res) throw new Error('the request has no response');
  const contents = readAhead(files, READ_AHEAD, (file, signal) => {
    const either = AbortSignal.any([ctx.signal, signal]);
    setMaxListeners(0, either);
    return readFile(call, file, commit, { signal: either, deadline: ctx.deadline });
  });
  const first = await contents.next();
  if (res.destroyed) return;
  res.status(200);
  res.setHeader('Content-Type', 'application/gzip');
  res.setHeader('Content-Disposition', 'attachment; filename="archive.tar.gz"');
  const { readable, controller } = createTarPacker();
  const packed = pack(controller, first, contents);
  const sent = pipeline(Readable.fromWeb(readable as never), createGzip(), res, {
    signal: ctx.signal,
  });
  let failure: unknown;
  packed.catch((error: unknown) => {
    failure = error;
    controller.error(error);
  });
  try {
    await Promise.all([packed, sent]);
  } catch (error) {
    // Else the caller left, or its time is up, and nobody waits for the rest.
    const isFailed = failure !== undefined;
    await contents.return(undefined);
    if (isFailed) throw error;
  }
}

type Contents = AsyncGenerator<{ item: BbSourceEntry; result: Buffer }, undefined>;
type Packer = ReturnType<typeof createTarPacker>['controller'];

async function pack(
  controller: Packer,
  first: Awaited<ReturnType<Contents['next']>>,
  contents: Contents,
): Promise<void> {
  for (let next = first; next.done !== true; next = await contents.next()) {
    const { item, result } = next.value;
    const writer = controller
      .add({
        name: item.path,
        size: result.length,
        type: 'file',
        mode: item.isExecutable ? 0o755 : 0o644,
        mtime: NO_TIME,
      })
      .getWriter();
    await writer.write(result);
    await writer.close();
  }
  controller.finalize();
}

async function readFile(
  { bitbucket, repo }: GrantedCall,
  { path }: BbSourceEntry,
  commit: string,
  ctx: GrantedCall['ctx'],
): Promise<Buffer> {
  const content = await bitbucket.readSource(repo, commit, path, ctx);
  // Bitbucket said so of its size before.
  if (content.length > MAX_FILE_BYTES)
    throw new CdsError('wrongRequest', {
      from: `${path} has ${content.length} bytes: at most ${MAX_FILE_BYTES} are packed`,
    });
  return content;
}
