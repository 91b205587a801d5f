import { formatGoNumber } from './format-go-number';

/**
 * Most characters that the names and values of one flattened body may have together. Names repeat those of
 * all levels above, so a body of 1 MiB that is nested deeply enough would become gigabytes.
 */
export const MAX_FLATTENED_CHARACTERS = 16 * 1024 * 1024;

/** The body is so deeply nested that its flattened form is beyond {@link MAX_FLATTENED_CHARACTERS}. */
export class FlattenedTooLargeError extends Error {
  override readonly name = 'FlattenedTooLargeError';

  constructor() {
    super(
      `the JSON body is nested so deeply that its flattened form has more than ${MAX_FLATTENED_CHARACTERS} characters: send a flatter one`,
    );
  }
}

interface Node {
  value: unknown;
  /** All names from the root, joined by dots. */
  path: string;
  /** The last name of the path: items of an array repeat it. */
  name: string;
}

/**
 * Flattens a parsed JSON body into CDS variables: `{"A": {"b": [1, true]}}` → `a.b.b0` = "1", `a.b.b1` =
 * "true". The items of an array are named after it and counted; at the root they are `0`, `1`, …. In names,
 * space, `/` and `:` become `_` and letters are lowered; empty names are left out with all below them. Null is
 * "", empty objects and arrays give nothing. A root that is neither object nor array gives nothing.
 *
 * When two names become one (`A` and `a`), the first in the order of the body wins; CDS 0.41 took either.
 * A number beyond a float64 (`1e400`) makes the whole body give nothing, as it does in Go.
 *
 * Works with a stack of its own, so that no nesting can exhaust the call stack.
 *
 * @throws FlattenedTooLargeError
 */
export function flattenJson(root: unknown): Map<string, string> {
  const variables = new Map<string, string>();
  const stack: Node[] = [];
  let characters = 0;
  const count = (length: number): void => {
    characters += length;
    if (characters > MAX_FLATTENED_CHARACTERS) throw new FlattenedTooLargeError();
  };

  pushChildren(stack, { value: root, path: '', name: '' });
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (typeof node.value === 'object' && node.value !== null) {
      pushChildren(stack, node);
      continue;
    }
    if (typeof node.value === 'number' && !Number.isFinite(node.value)) return new Map();
    if (variables.has(node.path)) continue;
    const text = scalarText(node.value);
    count(node.path.length + text.length);
    variables.set(node.path, text);
  }
  return variables;
}

/** Puts the children on the stack, last first, so that they are taken in the order of the body. */
function pushChildren(stack: Node[], parent: Node): void {
  const { value } = parent;
  if (Array.isArray(value)) {
    for (let i = value.length - 1; i >= 0; i--) {
      stack.push(childOf(parent, `${parent.name}${i}`, value[i]));
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value).reverse()) {
    if (key !== '') stack.push(childOf(parent, variableName(key), child));
  }
}

function childOf(parent: Node, name: string, value: unknown): Node {
  // Checked before the names are joined: nested arrays double their names with every few levels.
  if (parent.path.length + name.length > MAX_FLATTENED_CHARACTERS)
    throw new FlattenedTooLargeError();
  return { value, name, path: parent.path === '' ? name : `${parent.path}.${name}` };
}

function scalarText(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'number' ? formatGoNumber(value) : String(value);
}

function variableName(key: string): string {
  const name = key.replace(/[ /:]/g, '_');
  // eslint-disable-next-line no-control-regex -- the fast way for what is nearly always ASCII
  return /^[\x00-\x7f]*$/.test(name) ? name.toLowerCase() : Array.from(name, lowerLikeGo).join('');
}

/** Go lowers letter by letter, JavaScript by context (`Σ` at the end of a word) and into two (`İ`). */
function lowerLikeGo(character: string): string {
  return character === '\u0130' ? 'i' : character.toLowerCase();
}
