/** The hashes of branches' last commits, to be found by their beginning. */
export interface HeadIndex {
  add(hashes: readonly string[]): void;
  /** The whole hash that begins with `short`, if it is there. */
  find(short: string): string | undefined;
}

/** Finds in constant time: a repository may have thousands of branches and pull requests. */
export function createHeadIndex(): HeadIndex {
  const all: string[] = [];
  /** By length of the beginning: Bitbucket's have 12 digits, as a rule. */
  const byLength = new Map<number, Map<string, string>>();

  function put(index: Map<string, string>, length: number, hashes: readonly string[]): void {
    for (const hash of hashes) index.set(hash.slice(0, length), hash);
  }

  return {
    add(hashes) {
      all.push(...hashes);
      for (const [length, index] of byLength) put(index, length, hashes);
    },
    find(short) {
      let index = byLength.get(short.length);
      if (!index) {
        index = new Map();
        put(index, short.length, all);
        byLength.set(short.length, index);
      }
      return index.get(short);
    },
  };
}
