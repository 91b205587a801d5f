type Tree = Map<string, Tree>;

/**
 * Applies Bitbucket's `fields` parameter: a comma-separated list of dotted paths with `*` as
 * wildcard. Plain paths select, `-path` takes away, `+path` adds to what an answer usually holds
 * (ours already hold everything). What is selected is all there is: `next` too has to be asked for.
 */
export function selectFields(answer: unknown, fields: string): unknown {
  const paths = fields.split(',').filter(Boolean);
  const selected = paths.filter((path) => !/^[+-]/.test(path));
  const added = paths.filter((path) => path.startsWith('+')).map((path) => path.slice(1));
  const removed = paths.filter((path) => path.startsWith('-')).map((path) => path.slice(1));
  const kept = selected.length ? keep(answer, treeOf([...selected, ...added])) : answer;
  return removed.reduce((value, path) => remove(value, path.split('.')), kept);
}

function treeOf(paths: string[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    let tree = root;
    for (const name of path.split('.')) {
      const next = tree.get(name) ?? new Map<string, Tree>();
      tree.set(name, next);
      tree = next;
    }
  }
  return root;
}

function keep(value: unknown, tree: Tree): unknown {
  if (tree.size === 0) return value;
  if (Array.isArray(value)) return value.map((item) => keep(item, tree));
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(value)) {
    const below = tree.get(name) ?? tree.get('*');
    if (below) kept[name] = keep(child, below);
  }
  return kept;
}

function remove(value: unknown, path: string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => remove(item, path));
  if (typeof value !== 'object' || value === null) return value;
  const [name = '', ...rest] = path;
  const left: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const matches = name === '*' || key === name;
    if (!matches) left[key] = child;
    else if (rest.length) left[key] = remove(child, rest);
  }
  return left;
}
