import * as z from 'zod';
import type { BbSourceEntry } from '../model';

const attributes = z
  .union([z.array(z.string()), z.string().transform((one) => [one])])
  .nullish()
  .transform((value) => value ?? []);

/** An entry of a directory. A submodule and a symbolic link are files with an attribute. */
export const sourceEntrySchema = z
  .object({
    type: z.string(),
    path: z.string().min(1).refine(isInTree, 'leads out of the repository'),
    size: z.number().int().nonnegative().nullish(),
    attributes,
  })
  .transform(({ type, path, size, attributes: marks }): BbSourceEntry => {
    const kind = kindOf(type, marks);
    return {
      path: path.replace(/(?<!\/)\/+$/, ''),
      kind,
      isExecutable: marks.includes('executable'),
      size: kind === 'file' ? (size ?? 0) : 0,
    };
  });

export const SOURCE_FIELDS = 'type,path,size,attributes';

function kindOf(type: string, marks: readonly string[]): BbSourceEntry['kind'] {
  if (type === 'commit_directory') return 'directory';
  if (marks.includes('link')) return 'link';
  if (type !== 'commit_file' || marks.includes('subrepository')) return 'submodule';
  return marks.includes('lfs') ? 'lfs' : 'file';
}

/** Git has no others: an archive with one would be unpacked elsewhere. */
function isInTree(path: string): boolean {
  const segments = path.split('/');
  return segments[0] !== '' && !segments.includes('..') && !path.includes('\0');
}
