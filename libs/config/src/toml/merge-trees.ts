import { isDeepStrictEqual } from 'node:util';
import { problemAt, type ConfigProblem } from '../config-problem';
import type { TomlNode, TomlTable } from './toml-tree';

/**
 * The keys of several files as those of one. A key that stands in two of them has the value of the
 * later file, and a warning where the values differ: nobody sees that by looking at one file.
 */
export function mergeTrees(trees: readonly TomlTable[], problems: ConfigProblem[]): TomlTable {
  const [first, ...rest] = trees;
  if (!first) throw new Error('no tree to merge');
  return rest.reduce((merged, tree) => mergeTables(merged, tree, problems), first);
}

function mergeTables(earlier: TomlTable, later: TomlTable, problems: ConfigProblem[]): TomlTable {
  const children = new Map(earlier.children);
  for (const [name, node] of later.children) {
    const present = children.get(name);
    children.set(name, present ? mergeNodes(present, node, problems) : node);
  }
  return { ...earlier, children, duplicates: [...earlier.duplicates, ...later.duplicates] };
}

function mergeNodes(earlier: TomlNode, later: TomlNode, problems: ConfigProblem[]): TomlNode {
  if (earlier.kind === 'table' && later.kind === 'table')
    return mergeTables(earlier, later, problems);
  const isSame =
    earlier.kind === 'leaf' &&
    later.kind === 'leaf' &&
    isDeepStrictEqual(earlier.value, later.value);
  if (!isSame) {
    const line = earlier.line === undefined ? '' : `, line ${earlier.line}`;
    const where = `${earlier.file ?? 'an earlier file'}${line}`;
    const message = `has another value in ${where}: this one counts; remove the other`;
    problems.push(problemAt(later, 'warning', message));
  }
  return later;
}
