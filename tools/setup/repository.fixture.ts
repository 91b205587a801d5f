import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(__dirname, '..', '..');

/** The text of a file of this checkout. */
export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/**
 * Every file of the repository, from its root. The folders that git ignores are left out; git
 * itself is not needed.
 */
export function repositoryFiles(): string[] {
  const ignored = new Set(
    ['.git', ...read('.gitignore').split('\n')].map((line) => line.replace(/\/$/, '')),
  );
  const filesIn = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter(({ name }) => !ignored.has(name))
      .flatMap((entry) => {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        return entry.isDirectory() ? filesIn(path) : [path];
      });
  return filesIn('').sort();
}
