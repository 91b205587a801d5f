import {
  basename,
  dirname,
  fromBase64,
  goQuote,
  indent,
  toJson,
  urlencode,
} from './encoding-helpers';
import { InterpolateError } from './interpolate-error';
import * as text from './text-helpers';
import { asCount, asText, isEmpty, textOf, toBoolean, toInteger, type Value } from './value';

export interface Helper {
  /** Values. */
  least: number;
  most: number;
  /** Characters that it reads; by default those of its values. */
  reads?(values: readonly Value[]): number;
  call(values: readonly Value[], limit: number): Value;
}

/** @throws InterpolateError when a value is larger than the whole result may be */
export function checkSize(characters: number, limit: number): void {
  if (characters > limit) {
    throw new InterpolateError(`the result would have more than ${limit} characters`);
  }
}

interface Kinds {
  text: string;
  count: number;
}
type Given<K extends readonly (keyof Kinds)[]> = { [I in keyof K]: Kinds[K[I]] };

/**
 * A helper of texts and whole numbers.
 *
 * @param kinds of its values
 * @param size of the result, where it may be much larger than the values
 */
function typed<const K extends readonly (keyof Kinds)[]>(
  name: string,
  kinds: K,
  change: (...values: Given<K>) => string,
  size?: (...values: Given<K>) => number,
): [string, Helper] {
  return [
    name,
    {
      least: kinds.length,
      most: kinds.length,
      call(values, limit) {
        const read = values.map((value, index) =>
          kinds[index] === 'count' ? asCount(value, name) : asText(value, name),
        ) as unknown as Given<K>;
        if (size) checkSize(size(...read), limit);
        return change(...read);
      },
    },
  ];
}

function onText(name: string, change: (text: string) => string): [string, Helper] {
  return typed(name, ['text'], change);
}

function random(name: text.RandomHelper): [string, Helper] {
  return typed(
    name,
    ['count'],
    (count) => text.random(name, count),
    (count) => count,
  );
}

function ofAny(
  name: string,
  least: number,
  most: number,
  call: (...values: Value[]) => Value,
): [string, Helper] {
  return [name, { least, most, call: (values) => call(...values) }];
}

const lines = (given: string): number => given.split('\n').length;
const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

function notByZero(divisor: bigint, helper: string): bigint {
  if (divisor === 0n) throw new InterpolateError(`${helper}: division by zero`);
  return divisor;
}

/** `default`: the last text that is not empty. The piped value comes last. */
function firstOf(...values: Value[]): string {
  return (
    values.findLast((value): value is string => typeof value === 'string' && value !== '') ?? ''
  );
}

/** All helpers, by the name that a template uses. */
export const HELPERS: ReadonlyMap<string, Helper> = new Map<string, Helper>([
  onText('trim', text.trimSpace),
  onText('upper', text.toUpper),
  onText('lower', text.toLower),
  onText('title', text.title),
  onText('untitle', text.untitle),
  onText('nospace', text.nospace),
  onText('initials', text.initials),
  onText('swapcase', text.swapcase),
  onText('shuffle', text.shuffle),
  onText('snakecase', text.snakecase),
  onText('camelcase', text.camelcase),
  onText('b64enc', (given) => Buffer.from(given).toString('base64')),
  onText('b64dec', fromBase64),
  onText('escape', (given) => given.replace(/[_/.]/g, '-')),
  onText('stringQuote', (given) => goQuote(given).slice(1, -1)),
  onText('urlencode', urlencode),
  onText('dirname', dirname),
  onText('basename', basename),
  typed('trimall', ['text', 'text'], text.trimAll),
  typed('trimAll', ['text', 'text'], text.trimAll),
  typed('trimSuffix', ['text', 'text'], (end, given) =>
    end !== '' && given.endsWith(end) ? given.slice(0, -end.length) : given,
  ),
  typed('trimPrefix', ['text', 'text'], (start, given) =>
    given.startsWith(start) ? given.slice(start.length) : given,
  ),
  typed('abbrev', ['count', 'text'], text.abbrev),
  typed('trunc', ['count', 'text'], text.trunc),
  typed(
    'repeat',
    ['count', 'text'],
    (count, given) => {
      if (count < 0) throw new InterpolateError('repeat: the number is below 0');
      return given.repeat(count);
    },
    (count, given) => count * given.length,
  ),
  typed(
    'indent',
    ['count', 'text'],
    (spaces, given) => indent(Math.max(0, spaces), given),
    indented,
  ),
  typed(
    'nindent',
    ['count', 'text'],
    (spaces, given) => `\n${indent(Math.max(0, spaces), given)}`,
    indented,
  ),
  typed('substr', ['count', 'count', 'text'], text.substr),
  typed('abbrevboth', ['count', 'count', 'text'], text.abbrevboth),
  random('randAlphaNum'),
  random('randAlpha'),
  random('randASCII'),
  random('randNumeric'),
  [
    'replace',
    {
      least: 3,
      most: 3,
      reads: searched,
      call(values, limit) {
        const [old = '', put = '', given = ''] = values.map((value) => asText(value, 'replace'));
        // An empty `old` matches between all characters and at both ends.
        const parts = given.split(old === '' ? /(?:)/u : old);
        checkSize(given.length + (parts.length + 1) * put.length, limit);
        return old === '' ? put + parts.join(put) + (given === '' ? '' : put) : parts.join(put);
      },
    },
  ],
  ofAny('plural', 3, 3, (one = null, many = null, count = null) =>
    asCount(count, 'plural') === 1 ? asText(one, 'plural') : asText(many, 'plural'),
  ),
  ofAny('quote', 0, Infinity, (...values) => values.map((v) => goQuote(textOf(v))).join(' ')),
  ofAny('squote', 0, Infinity, (...values) => values.map((v) => `'${textOf(v)}'`).join(' ')),
  ofAny('toString', 1, 1, (value = null) => textOf(value)),
  ofAny('default', 1, Infinity, firstOf),
  ofAny('empty', 1, 1, (value = null) => isEmpty(value)),
  ofAny('coalesce', 1, Infinity, (...values) => values.find((value) => !isEmpty(value)) ?? null),
  ofAny('toJSON', 1, 1, (value = null) => toJson(value)),
  ofAny('toPrettyJSON', 1, 1, (value = null) => toJson(value)),
  ofAny('ternary', 3, 3, (yes = null, no = null, test = null) => (toBoolean(test) ? yes : no)),
  ofAny('add', 1, Infinity, (...values) =>
    wrap(values.map(toInteger).reduce((sum, value) => sum + value, 0n)),
  ),
  ofAny('sub', 2, 2, (a = null, b = null) => wrap(toInteger(a) - toInteger(b))),
  ofAny('mul', 1, Infinity, (...values) =>
    values.map(toInteger).reduce((product, value) => wrap(product * value), 1n),
  ),
  ofAny('div', 2, 2, (a = null, b = null) => wrap(toInteger(a) / notByZero(toInteger(b), 'div'))),
  ofAny('mod', 2, 2, (a = null, b = null) => toInteger(a) % notByZero(toInteger(b), 'mod')),
]);

function indented(spaces: number, given: string): number {
  return given.length + 1 + lines(given) * Math.max(0, spaces);
}

/** V8 searches for a longer text in the time of both lengths multiplied. */
const MAX_QUICK_SEARCH_LENGTH = 250;

/** For `replace`: the text counts again for each further 250 characters of the searched text. */
function searched([old = null, put = null, given = null]: readonly Value[]): number {
  const length = (value: Value): number => (typeof value === 'string' ? value.length : 0);
  return length(put) + length(given) * (1 + Math.floor(length(old) / MAX_QUICK_SEARCH_LENGTH));
}
