import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The root of the checkout that `start` is in: the nearest folder above it with an nx.json. */
export function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'nx.json'))) return folder;
    if (folder === dirname(folder))
      throw new Error(`${start} is not in a checkout: no nx.json above it`);
  }
}
