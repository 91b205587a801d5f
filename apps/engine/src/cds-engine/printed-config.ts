import { parse } from 'smol-toml';

/** A configuration as CDS's own engine printed it, as TOML or as `export` lines. */
export interface PrintedConfig {
  text: string;
  /** The text at a path, without regard to case; undefined where there is none. */
  valueOf(path: string): string | undefined;
  hasLog: boolean;
  /** The text without some sections; undefined where they cannot be told from the rest. */
  without(sections: readonly string[]): string | undefined;
}

export function readPrintedConfig(
  text: string,
  { asEnv }: { asEnv: boolean },
): PrintedConfig | { reason: string } {
  return asEnv ? readVariables(text) : readToml(text);
}

function readVariables(text: string): PrintedConfig {
  const valueOf = (path: string): string | undefined => {
    const name = `CDS_${path.replaceAll('.', '_').toUpperCase()}`;
    return new RegExp(`^export ${name}="([^"]*)"$`, 'm').exec(text)?.[1];
  };
  return {
    text,
    valueOf,
    hasLog: /^export CDS_LOG_/m.test(text),
    without(sections) {
      const names = sections.map((name) => name.toUpperCase()).join('|');
      const isTheirs = new RegExp(`^export CDS_(${names})(_[A-Z0-9_]+)?=`);
      return text
        .split('\n')
        .filter((line) => !isTheirs.test(line))
        .join('\n');
    },
  };
}

function readToml(text: string): PrintedConfig | { reason: string } {
  const document = parsed(text);
  if (!document) return { reason: 'what the engine of CDS printed is not TOML.' };
  return {
    text,
    valueOf(path) {
      const value = path.split('.').reduce<unknown>(child, document);
      return typeof value === 'string' ? value : undefined;
    },
    hasLog: child(document, 'log') !== undefined,
    without(sections) {
      const rest = withoutTables(text, sections);
      const left = Object.keys(parsed(rest) ?? {});
      const wanted = Object.keys(document).filter((key) => !sections.includes(key.toLowerCase()));
      return left.toSorted().join() === wanted.toSorted().join() ? rest : undefined;
    },
  };
}

const HEADER = /^\s*\[\[?\s*([\w-]+)/;
const COMMENT = /^\s*#/;
/** From here on it is about no section. */
const TAIL = /^# On first login/;

/** The tables go with the comments right above their headers. */
function withoutTables(text: string, sections: readonly string[]): string {
  const kept: string[] = [];
  /** Comments that belong to what follows them. */
  let above: string[] = [];
  let isDropped = false;
  for (const line of text.split('\n')) {
    const table = HEADER.exec(line)?.[1];
    if (TAIL.test(line)) isDropped = false;
    else if (table !== undefined) isDropped = sections.includes(table.toLowerCase());
    else if (COMMENT.test(line)) {
      above.push(line);
      continue;
    }
    if (!isDropped) kept.push(...above, line);
    above = [];
  }
  return [...kept, ...above].join('\n');
}

function parsed(text: string): object | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** A key of a table, without regard to case. */
function child(table: unknown, name: string): unknown {
  if (typeof table !== 'object' || table === null) return undefined;
  return Object.entries(table).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}
