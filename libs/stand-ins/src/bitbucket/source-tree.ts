/** What Bitbucket says of a file besides its content. */
export type FileAttribute = 'link' | 'executable' | 'subrepository' | 'binary' | 'lfs';

export interface SourceFile {
  content: string;
  attributes?: readonly FileAttribute[];
}

/** By path from the root. */
export type SourceTree = ReadonlyMap<string, SourceFile>;

/** Files of a commit that differ from its parent: their content, or null for one that is gone. */
export type FileChanges = Readonly<Record<string, string | SourceFile | null>>;

export function changedTree(tree: SourceTree, changes: FileChanges = {}): SourceTree {
  const changed = new Map(tree);
  for (const [path, change] of Object.entries(changes)) {
    if (change === null) changed.delete(path);
    else changed.set(path, typeof change === 'string' ? { content: change } : change);
  }
  return changed;
}

/** Whether it is the root or holds a file. Git has no empty directories. */
export function isDirectory(tree: SourceTree, path: string): boolean {
  return path === '' || [...tree.keys()].some((one) => one.startsWith(`${path}/`));
}

/**
 * What is in a directory and in those below it, as deep as `maxDepth`, in the order of git.
 * @param toFile @param toDirectory make the JSON of an entry
 */
export function listTree<Entry>(
  tree: SourceTree,
  directory: string,
  maxDepth: number,
  { toFile, toDirectory }: Record<'toFile' | 'toDirectory', (path: string) => Entry>,
): Entry[] {
  const entries = new Map<string, Entry>();
  const start = directory === '' ? 0 : directory.split('/').length;
  for (const path of [...tree.keys()].sort()) {
    if (directory !== '' && !path.startsWith(`${directory}/`)) continue;
    const segments = path.split('/');
    const deepest = Math.min(start + maxDepth, segments.length - 1);
    for (let depth = start + 1; depth <= deepest; depth += 1) {
      const above = segments.slice(0, depth).join('/');
      if (!entries.has(above)) entries.set(above, toDirectory(above));
    }
    if (segments.length <= start + maxDepth) entries.set(path, toFile(path));
  }
  return [...entries.values()];
}
