/**
 * Moves over the text of a TOML document that is known to be valid. It knows just enough of the syntax to
 * tell keys from values: smol-toml gives values, but not where they stand.
 */
export class TomlScanner {
  private position = 0;
  private counted = 0;
  private countedLine = 1;

  constructor(private readonly text: string) {}

  /** Line of the current position, from 1. */
  get line(): number {
    for (; this.counted < this.position; this.counted++)
      if (this.text[this.counted] === '\n') this.countedLine++;
    return this.countedLine;
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** Whether the text goes on with `token`; if so it is skipped. */
  take(token: string): boolean {
    if (!this.text.startsWith(token, this.position)) return false;
    this.position += token.length;
    return true;
  }

  /** Skips blanks, line ends and comments. */
  skipFiller(): void {
    this.skip(/(?:[ \t\r\n\uFEFF]+|#[^\n]*)*/y);
  }

  skipLine(): void {
    this.skip(/[^\n]*\n?/y);
  }

  /** Reads a key, dotted or not: `a."b c".d`. Undefined where there is none. */
  readKey(): string[] | undefined {
    const segments: string[] = [];
    do {
      this.skip(/[ \t]*/y);
      const segment = this.readSegment();
      if (segment === undefined) return undefined;
      segments.push(segment);
      this.skip(/[ \t]*/y);
    } while (this.take('.'));
    return segments;
  }

  /** Skips a string, number, date or boolean. */
  skipScalar(): void {
    this.skip(
      /"""(?:[^\\]|\\[^])*?"{3,5}|'''[^]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^,\]}#\r\n]*/y,
    );
  }

  private readSegment(): string | undefined {
    const [token] = this.match(/[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y);
    if (!token) return undefined;
    if (token.startsWith("'")) return token.slice(1, -1);
    return token.startsWith('"') ? unescape(token) : token;
  }

  private skip(pattern: RegExp): void {
    this.match(pattern);
  }

  private match(pattern: RegExp): [string] {
    pattern.lastIndex = this.position;
    const token = pattern.exec(this.text)?.[0] ?? '';
    this.position += token.length;
    return [token];
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\u001b',
};

/** The text of a basic string, which is given with its quotes. */
function unescape(token: string): string {
  return token
    .slice(1, -1)
    .replace(
      /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))/g,
      (_, short?: string, long?: string, byte?: string, letter?: string) => {
        if (letter !== undefined) return ESCAPES[letter] ?? letter;
        const code = parseInt(short ?? long ?? byte ?? '', 16);
        return code <= 0x10ffff ? String.fromCodePoint(code) : '';
      },
    );
}
