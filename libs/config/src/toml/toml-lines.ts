import { TomlScanner } from './toml-scanner';

/** Where keys stand in a file: from the path of a key or table, spelled as in the file, to its line. */
export type LineIndex = (path: readonly string[]) => number | undefined;

const DEEPEST_KEY = 32;

/**
 * Finds the line of every key and table of a TOML document: of `[a.b]`, of `c.d = 1`, and of what an
 * inline table holds. The text must be valid TOML.
 */
export function indexLines(text: string): LineIndex {
  const lines = new Map<string, number>();
  const scanner = new TomlScanner(text);
  const record = (parent: readonly string[], key: readonly string[], line: number): string[] => {
    const path = [...parent];
    for (const segment of key) {
      // Nothing that is known lies deeper, and a key of a thousand segments is to cost little.
      if (path.length > DEEPEST_KEY) break;
      path.push(segment);
      const id = JSON.stringify(path);
      if (!lines.has(id)) lines.set(id, line);
    }
    return path;
  };

  let table: readonly string[] = [];
  for (scanner.skipFiller(); !scanner.atEnd; scanner.skipFiller()) {
    const line = scanner.line;
    if (scanner.take('[')) {
      scanner.take('[');
      table = record([], scanner.readKey() ?? [], line);
      scanner.skipLine();
    } else if (!readPair(scanner, table, record)) {
      scanner.skipLine();
    }
  }
  return (path) => lines.get(JSON.stringify(path));
}

type Record = (parent: readonly string[], key: readonly string[], line: number) => string[];

/** Reads `key = value`. False where there is none. */
function readPair(scanner: TomlScanner, parent: readonly string[], record: Record): boolean {
  const line = scanner.line;
  const key = scanner.readKey();
  if (!key || !scanner.take('=')) return false;
  skipValue(scanner, record(parent, key, line), record);
  return true;
}

function skipValue(scanner: TomlScanner, path: readonly string[], record: Record): void {
  scanner.skipFiller();
  const isTable = scanner.take('{');
  if (!isTable && !scanner.take('[')) {
    scanner.skipScalar();
    return;
  }
  const end = isTable ? '}' : ']';
  for (scanner.skipFiller(); !scanner.take(end) && !scanner.atEnd; scanner.skipFiller()) {
    if (scanner.take(',')) continue;
    if (!isTable) skipValue(scanner, path, record);
    else if (!readPair(scanner, path, record)) scanner.skipLine();
  }
}
