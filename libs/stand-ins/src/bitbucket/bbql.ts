import { BitbucketApiError } from './api-error';
import type { Json } from './model';

type Value = string | number | boolean | null;
type Test = (item: Json) => boolean;

const TOKEN =
  /\s*(?:(?<text>"(?:[^"\\]|\\.)*")|(?<operator>!=|!~|>=|<=|=|~|>|<|\(|\)|,)|(?<word>[^\s"!=~<>(),]+))/y;

function invalid(query: string): BitbucketApiError {
  return new BitbucketApiError(400, `Invalid query: ${query}`);
}

function tokensOf(query: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (query.slice(TOKEN.lastIndex).trim() !== '') {
    const match = TOKEN.exec(query);
    if (!match) throw invalid(query);
    tokens.push(match[0].trim());
  }
  return tokens;
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(item: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null
          ? (value as Record<string, unknown>)[name]
          : undefined,
      item,
    );
}

function compare(actual: unknown, operator: string, expected: Value): boolean {
  if (operator === '=') return actual === expected;
  if (operator === '!=') return actual !== expected;
  if (operator === '~' || operator === '!~') {
    const contains =
      typeof actual === 'string' && actual.toLowerCase().includes(String(expected).toLowerCase());
    return contains === (operator === '~');
  }
  if (actual === null || actual === undefined || expected === null) return false;
  const order = actual < expected ? -1 : actual > expected ? 1 : 0;
  return operator === '>'
    ? order > 0
    : operator === '<'
      ? order < 0
      : operator === '>='
        ? order >= 0
        : order <= 0;
}

/**
 * Reads a filter in Bitbucket's query language: comparisons, IN, AND, OR and parentheses.
 * @throws BitbucketApiError 400 where it cannot be read.
 */
export function parseQuery(query: string): Test {
  const tokens = tokensOf(query);
  let position = 0;
  const peek = (): string => tokens[position] ?? '';
  const take = (): string => {
    position += 1;
    return tokens[position - 1] ?? '';
  };
  const takeKeyword = (word: string): boolean => {
    if (peek().toUpperCase() !== word) return false;
    position += 1;
    return true;
  };
  const expectToken = (token: string): void => {
    if (take() !== token) throw invalid(query);
  };

  function value(): Value {
    const token = take();
    if (token.startsWith('"')) return token.slice(1, -1).replace(/\\(.)/g, '$1');
    if (token === 'null') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    if (/^-?\d+(\.\d+)?$/.test(token)) return Number(token);
    if (/^\d{4}-\d\d-\d\d/.test(token)) return token;
    throw invalid(query);
  }

  function comparison(): Test {
    const field = take();
    if (!/^[a-z_][\w.]*$/i.test(field)) throw invalid(query);
    const negated = takeKeyword('NOT');
    if (takeKeyword('IN')) {
      expectToken('(');
      const list = [value()];
      while (peek() === ',') {
        position += 1;
        list.push(value());
      }
      expectToken(')');
      return (item) => list.includes(valueAt(item, field) as Value) !== negated;
    }
    const operator = take();
    if (negated || !['=', '!=', '~', '!~', '>', '>=', '<', '<='].includes(operator))
      throw invalid(query);
    const expected = value();
    return (item) => compare(valueAt(item, field), operator, expected);
  }

  function term(): Test {
    if (peek() !== '(') return comparison();
    position += 1;
    const inner = disjunction();
    expectToken(')');
    return inner;
  }

  function conjunction(): Test {
    const tests = [term()];
    while (takeKeyword('AND')) tests.push(term());
    return (item) => tests.every((test) => test(item));
  }

  function disjunction(): Test {
    const tests = [conjunction()];
    while (takeKeyword('OR')) tests.push(conjunction());
    return (item) => tests.some((test) => test(item));
  }

  const test = disjunction();
  if (position !== tokens.length) throw invalid(query);
  return test;
}

/**
 * Sorts by one field, `-field` for descending.
 * @throws BitbucketApiError 400 for several fields, or one that the items do not have.
 */
export function sortBy(items: Json[], sort: string): Json[] {
  const descending = sort.startsWith('-');
  const field = sort.replace(/^-/, '');
  const known = items.length === 0 || items.some((item) => valueAt(item, field) !== undefined);
  if (!/^[a-z_][\w.]*$/i.test(field) || !known)
    throw new BitbucketApiError(400, `Invalid field name: ${field}`);
  const key = (item: Json): string | number => {
    const value = valueAt(item, field);
    return typeof value === 'number' ? value : String(value ?? '');
  };
  return items.toSorted((a, b) => {
    const [left, right] = descending ? [key(b), key(a)] : [key(a), key(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}
