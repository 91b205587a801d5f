import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The root of the repository: the nearest folder above that holds `nx.json`. */
export function repositoryRoot(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'nx.json'))) return folder;
  }
  return process.cwd();
}

/**
 * The path of a file or folder of the recordings that lie in `../shared`, beside the repository.
 * Undefined where it does not exist: a clone by itself has no recordings.
 */
export function sharedPath(...parts: string[]): string | undefined {
  const path = join(repositoryRoot(), '..', 'shared', ...parts);
  return existsSync(path) ? path : undefined;
}

/** A `describe` for specs that replay the recordings; skipped, saying so, where there are none. */
export function describeShared(name: string, body: (root: string) => void): void {
  const root = sharedPath();
  if (root) {
    describe(name, () => body(root));
  } else {
    // Jest refuses a block without tests.
    describe.skip(`${name} (skipped: ../shared, the recordings, is absent)`, () => {
      it('replays the recordings', () => undefined);
    });
  }
}
