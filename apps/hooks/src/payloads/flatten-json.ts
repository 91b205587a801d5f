import { MalformedExecutionError } from './malformed-execution';
import { JsonTooComplexError, parseBoundedJson } from './parse-bounded-json';

/**
 * Variables of one run. Reading as many blocks the event loop for some milliseconds. A payload of
 * Bitbucket has 256 KB at most and gives fewer.
 */
export const MAX_VARIABLES = 12_288;
/**
 * Of all names and values of one flattened body. Names repeat those of all levels above, so a
 * deeply nested body of 1 MiB would become gigabytes. Recorded bodies of CDS and Bitbucket flatten
 * into less than three times their size. Values whose name is taken count too: finding that out
 * takes as long.
 */
export const MAX_FLATTENED_CHARACTERS = 2 * 1024 * 1024;
/** Of the names as written in the body: each is lowered. */
export const MAX_NAME_CHARACTERS = 384 * 1024;
/**
 * Names of more than {@link LONG_NAME} characters. V8 hashes the longest strings by their length
 * alone, so each would be compared with all others.
 */
export const MAX_LONG_NAMES = 16;
export const LONG_NAME = 4_096;

const TOO_DEEP = 'the JSON body is nested so deeply that';
const TOO_LARGE = {
  characters:
    `${TOO_DEEP} its flattened form has more than ${MAX_FLATTENED_CHARACTERS} characters: ` +
    'send a flatter one',
  longNames:
    `${TOO_DEEP} more than ${MAX_LONG_NAMES} of its flattened names have more than ${LONG_NAME} ` +
    'characters: send a flatter one',
  names:
    `the names in the JSON body have more than ${MAX_NAME_CHARACTERS} characters: send shorter ` +
    'ones',
  variables: `the JSON body holds more than ${MAX_VARIABLES} values: send fewer`,
};

/** An object or array that is being walked through. */
interface Frame {
  /** Undefined for an array. */
  keys: string[] | undefined;
  values: readonly unknown[];
  next: number;
  /** All names from the root, joined by dots. */
  path: string;
  /** The last name of the path, which items of an array repeat. */
  name: string;
}

/**
 * Flattens a parsed JSON body into CDS variables: `{"A": {"b": [1, true]}}` → `a.b.b0` = "1",
 * `a.b.b1` = "true". Array items are named after the array and counted; at the root they are `0`,
 * `1`, …. In names, space, `/` and `:` become `_` and letters are lowered; empty names are left out
 * with all below them. Null is "". Empty objects and arrays, and any other root, give nothing.
 *
 * When two names become one (`A` and `a`), the first wins; CDS 0.41 took either. A number beyond a
 * float64 (`1e400`) makes the whole body give nothing, as in Go.
 *
 * It has its own stack, so that no nesting exhausts the call stack.
 *
 * @param prefix of the message of the error
 * @throws MalformedExecutionError where the flattened form is too large
 */
export function flattenJson(root: unknown, prefix = ''): Map<string, string> {
  const tooLarge = (why: keyof typeof TOO_LARGE) =>
    new MalformedExecutionError(prefix + TOO_LARGE[why]);
  const variables = new Map<string, string>();
  const stack: Frame[] = isContainer(root) ? [frameOf(root, '', '')] : [];
  let characters = 0;
  let nameCharacters = 0;
  let longNames = 0;

  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const index = frame.next++;
    if (index >= frame.values.length) {
      stack.pop();
      continue;
    }
    const key = frame.keys?.[index];
    if (key === '') continue;
    nameCharacters += key?.length ?? 0;
    if (nameCharacters > MAX_NAME_CHARACTERS) throw tooLarge('names');
    const name = key === undefined ? `${frame.name}${index}` : variableName(key);
    // Before they are joined: names of nested arrays grow with the square of the depth.
    if (frame.path.length + name.length > MAX_FLATTENED_CHARACTERS) throw tooLarge('characters');
    const path = frame.path === '' ? name : `${frame.path}.${name}`;

    const value = frame.values[index];
    if (isContainer(value)) {
      stack.push(frameOf(value, path, name));
      continue;
    }
    if (typeof value === 'number' && !Number.isFinite(value)) return new Map();
    const text = scalarText(value as string | number | boolean | null);
    characters += path.length + text.length;
    // Before the name is looked up, which reads its whole length.
    if (characters > MAX_FLATTENED_CHARACTERS) throw tooLarge('characters');
    if (path.length > LONG_NAME && ++longNames > MAX_LONG_NAMES) throw tooLarge('longNames');
    if (variables.has(path)) continue;
    if (variables.size === MAX_VARIABLES) throw tooLarge('variables');
    variables.set(path, text);
  }
  return variables;
}

/**
 * {@link flattenJson} of a text. What is no JSON gives nothing, as recorded of CDS.
 *
 * @throws MalformedExecutionError
 */
export function flattenJsonText(text: string, prefix = ''): Map<string, string> {
  let root: unknown;
  try {
    root = parseBoundedJson(text);
  } catch (error) {
    if (!(error instanceof JsonTooComplexError)) return new Map();
    const message = `${prefix}the JSON body cannot be taken: ${error.message}`;
    throw new MalformedExecutionError(message, { cause: error });
  }
  return flattenJson(root, prefix);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function frameOf(container: object, path: string, name: string): Frame {
  return Array.isArray(container)
    ? { keys: undefined, values: container, next: 0, path, name }
    : { keys: Object.keys(container), values: Object.values(container), next: 0, path, name };
}

function scalarText(value: string | number | boolean | null): string {
  if (value === null) return '';
  return typeof value === 'number' ? formatGoNumber(value) : String(value);
}

/**
 * Go lowers letter by letter. JavaScript lowers a `\u03a3` at the end of a word to another letter,
 * and `\u0130` to two.
 */
function variableName(key: string): string {
  const name = key.replace(/[ /:]/g, '_');
  const likeGo = /[\u0130\u03a3]/.test(name)
    ? name.split('\u0130').join('i').split('\u03a3').join('\u03c3')
    : name;
  return likeGo.toLowerCase();
}

/**
 * A finite number as Go's `%v` prints a float64, as in variables of CDS: exponent form from 1e6 up
 * and below 1e-4, with at least two digits in the exponent (1000000 → `1e+06`, 999999 →
 * `999999`, 0.00001 → `1e-05`).
 */
export function formatGoNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`;
}
