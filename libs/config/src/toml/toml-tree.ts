import { parse, TomlError } from 'smol-toml';
import { problemAt, type ConfigProblem, type Slot } from '../config-problem';
import { indexLines, type LineIndex } from './toml-lines';

/** Nothing that is known lies deeper; what does is taken as one value. */
const MAX_TABLE_DEPTH = 32;

/** A key of the file with its value. */
export interface TomlLeaf extends Slot {
  kind: 'leaf';
  value: unknown;
}

/** A table of the file. `children` is keyed by name in lower case. */
export interface TomlTable extends Slot {
  kind: 'table';
  /** The table's own name as it is spelled in the file. */
  name: string;
  children: Map<string, TomlNode>;
  /** Keys that are there already in another case. Tables are merged instead. */
  duplicates: (Slot & { first: string })[];
}

export type TomlNode = TomlLeaf | TomlTable;

/**
 * Parses TOML into a tree whose keys are found without regard to case and know their lines.
 * A syntax error is put into `problems`.
 *
 * @param file named in problems; not needed where there is one file alone
 */
export function readTomlTree(
  text: string,
  problems: ConfigProblem[],
  file?: string,
): TomlTable | undefined {
  try {
    // A number that JavaScript cannot carry is a wrong value of its key alone; sections of CDS
    // itself may hold 64 bits.
    const document: unknown = parse(text, { integersAsBigInt: 'asNeeded' });
    return toTable([], document as object, { lines: indexLines(text), file });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Only the first line: what follows quotes the file, which may hold a secret at that place.
    const [sentence = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    const message = `column ${error.column}: this is not TOML: ${sentence}`;
    problems.push(problemAt({ key: '', file, line: error.line }, 'error', message));
    return undefined;
  }
}

/** The node at `path`, which is given in lower case. */
export function findNode(root: TomlTable, path: readonly string[]): TomlNode | undefined {
  let node: TomlNode | undefined = root;
  for (const segment of path) {
    if (node?.kind !== 'table') return undefined;
    node = node.children.get(segment.toLowerCase());
  }
  return node;
}

/** The table at `path`. */
export function findTable(
  root: TomlTable | undefined,
  path: readonly string[],
): TomlTable | undefined {
  const node = root && findNode(root, path);
  return node?.kind === 'table' ? node : undefined;
}

/** Where the nodes of a file say that they stand. */
interface Origin {
  lines: LineIndex;
  file: string | undefined;
}

function toTable(path: readonly string[], source: object, origin: Origin): TomlTable {
  const placeOf = (at: readonly string[]) => ({ line: origin.lines(at), file: origin.file });
  const table: TomlTable = {
    kind: 'table',
    key: path.join('.'),
    name: path.at(-1) ?? '',
    ...placeOf(path),
    children: new Map(),
    duplicates: [],
  };
  for (const [name, value] of Object.entries(source)) {
    const childPath = [...path, name];
    addChild(
      table,
      name.toLowerCase(),
      isTable(value) && path.length < MAX_TABLE_DEPTH
        ? toTable(childPath, value, origin)
        : { kind: 'leaf', key: childPath.join('.'), ...placeOf(childPath), value },
    );
  }
  return table;
}

function addChild(table: TomlTable, name: string, node: TomlNode): void {
  const first = table.children.get(name);
  if (!first) {
    table.children.set(name, node);
  } else if (first.kind === 'table' && node.kind === 'table') {
    for (const [childName, child] of node.children) addChild(first, childName, child);
    first.duplicates.push(...node.duplicates);
  } else {
    table.duplicates.push({ key: node.key, line: node.line, file: node.file, first: first.key });
  }
}

function isTable(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
