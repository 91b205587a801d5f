/** Reads the reply of a script. @throws UnexpectedReplyError */
export type ReplyParser<T> = (reply: unknown) => T;

/** A script returned another reply than it declares: two versions disagree. */
export class UnexpectedReplyError extends Error {
  override readonly name = 'UnexpectedReplyError';

  constructor(reply: unknown) {
    const shown = (JSON.stringify(reply) as string | undefined)?.slice(0, 100) ?? 'nothing';
    super(`a script of Redis returned ${shown}`);
  }
}

type Fields = Readonly<Record<string, ReplyParser<unknown>>>;
type Read<F extends Fields> = { -readonly [N in keyof F]: ReturnType<F[N]> };
type Variant<V extends Readonly<Record<string, Fields>>> = {
  [N in keyof V]: { kind: N } & Read<V[N]>;
}[keyof V];

function text(reply: unknown): string {
  if (typeof reply !== 'string') throw new UnexpectedReplyError(reply);
  return reply;
}

function number(reply: unknown): number {
  if (typeof reply !== 'number') throw new UnexpectedReplyError(reply);
  return reply;
}

function list(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new UnexpectedReplyError(reply);
  return reply;
}

function listOf<T>(item: ReplyParser<T>): ReplyParser<T[]> {
  return (reply) => list(reply).map(item);
}

/** Parsers of replies. */
export const replies = {
  text,
  number,

  /** Text; null for Lua's `false`. */
  textOrNull: (reply: unknown): string | null => (reply === null ? null : text(reply)),

  numeral: (reply: unknown): number => Number(text(reply)),

  /** The same; undefined for "". */
  numeralIfAny: (reply: unknown): number | undefined =>
    reply === '' ? undefined : Number(text(reply)),

  /** 1; 0 or nothing is false. */
  flag: (reply: unknown): boolean => reply !== undefined && number(reply) === 1,

  ignored: (): void => undefined,

  /** Undefined where a list ends before it. */
  optional:
    <T>(parser: ReplyParser<T>): ReplyParser<T | undefined> =>
    (reply) =>
      reply === undefined ? undefined : parser(reply),

  oneOf<const W extends string>(...words: readonly W[]): ReplyParser<W> {
    const known: ReadonlySet<unknown> = new Set(words);
    return (reply) => {
      if (!known.has(reply)) throw new UnexpectedReplyError(reply);
      return reply as W;
    };
  },

  listOf,

  /** A flat list with these items for each record. */
  records<const F extends Fields>(fields: F): ReplyParser<Read<F>[]> {
    const parsers = Object.entries(fields);
    return (reply) => {
      const items = list(reply);
      const records: Read<F>[] = [];
      for (let at = 0; at < items.length; at += parsers.length)
        records.push(readFields({}, parsers, items, at) as Read<F>);
      return records;
    };
  },

  /** List of a kind and the fields of that kind. */
  variants<const V extends Readonly<Record<string, Fields>>>(variants: V): ReplyParser<Variant<V>> {
    const known = new Map<unknown, [string, ReplyParser<unknown>][]>(
      Object.entries(variants).map(([kind, fields]) => [kind, Object.entries(fields)]),
    );
    return (reply) => {
      const items = list(reply);
      const parsers = known.get(items[0]);
      if (!parsers) throw new UnexpectedReplyError(reply);
      return readFields({ kind: items[0] }, parsers, items, 1) as Variant<V>;
    };
  },
};

/** A plain loop into one object, since every delivery comes here. */
function readFields(
  read: Record<string, unknown>,
  parsers: readonly (readonly [string, ReplyParser<unknown>])[],
  items: readonly unknown[],
  from: number,
): Record<string, unknown> {
  let index = from;
  for (const [name, parse] of parsers) read[name] = parse(items[index++]);
  return read;
}
