import { GO_ESCAPES } from './encoding-helpers';
import { InterpolateError } from './interpolate-error';
import type { Value } from './value';

/** `word`: the name of a helper. `pipeline`: an action in brackets. */
export type Operand =
  | { kind: 'variable'; name: string }
  | { kind: 'constant'; value: Value }
  | { kind: 'word'; name: string }
  | { kind: 'pipeline'; pipeline: Pipeline };
/** Operands of one command; the commands are joined by `|`. */
export type Pipeline = Operand[][];

export interface Action {
  pipeline: Pipeline;
  /** The index after `}}`. */
  end: number;
}

/** Of brackets. */
const MAX_DEPTH = 16;
/** Of one action. */
const MAX_OPERANDS = 200;

const SPACES = /[ \t\r\n]*/y;
const VARIABLE = /\.[\p{L}\p{Nd}_.µ-]*/uy;
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]{1,16}|\d{1,19}(?:\.\d{1,19})?)(?![\p{L}\p{Nd}_.])/uy;
const WORD = /[\p{L}\p{Nd}_.-]+/uy;
const RAW = /`[^`]*`/y;
const QUOTED = /"(?:[^"\\\n]|\\.)*"/y;

const WORDS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

/** Reads an action up to `}}`. @param start after `{{` @throws InterpolateError */
export function parseAction(text: string, start: number): Action {
  let at = start;
  let operands = 0;

  const matched = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const fail = (what: string): never => {
    throw new InterpolateError(`${what} in the expression that begins at character ${start - 1}`);
  };

  function operand(depth: number): Operand {
    if (++operands > MAX_OPERANDS) fail(`more than ${MAX_OPERANDS} values`);
    if (text[at] === '(') {
      if (depth >= MAX_DEPTH) fail(`more than ${MAX_DEPTH} brackets in brackets`);
      at++;
      const inner = pipeline(depth + 1);
      if (text[at] !== ')') fail('a bracket is not closed');
      at++;
      return { kind: 'pipeline', pipeline: inner };
    }
    const variable = matched(VARIABLE);
    if (variable !== undefined) return { kind: 'variable', name: variable.slice(1) };
    const quoted = matched(QUOTED);
    if (quoted !== undefined) return { kind: 'constant', value: unquote(quoted, fail) };
    const raw = matched(RAW);
    if (raw !== undefined) return { kind: 'constant', value: raw.slice(1, -1) };
    const number = matched(NUMBER);
    if (number !== undefined) return { kind: 'constant', value: numberOf(number) };
    const word = matched(WORD);
    if (word === undefined) return fail(describe(text[at]));
    const constant = WORDS.get(word);
    return constant === undefined
      ? { kind: 'word', name: word }
      : { kind: 'constant', value: constant };
  }

  function pipeline(depth: number): Pipeline {
    const commands: Pipeline = [[]];
    for (;;) {
      matched(SPACES);
      if (at >= text.length) fail('}} is missing');
      if (text.startsWith('}}', at) || text[at] === ')') break;
      if (text[at] === '|') {
        at++;
        commands.push([]);
      } else {
        commands.at(-1)?.push(operand(depth));
      }
    }
    if (commands.some((command) => command.length === 0)) fail('a value is missing');
    return commands;
  }

  const whole = pipeline(0);
  if (!text.startsWith('}}', at)) fail('a bracket is closed that was not opened');
  return { pipeline: whole, end: at + 2 };
}

function describe(character: string | undefined): string {
  return `${JSON.stringify(character ?? '')} is not understood`;
}

function numberOf(written: string): Value {
  if (written.includes('.')) return Number(written);
  const value = written.startsWith('-')
    ? -BigInt(written.slice(1))
    : BigInt(written.replace('+', ''));
  return BigInt.asIntN(64, value);
}

/** The text of a Go string literal. */
function unquote(quoted: string, fail: (what: string) => never): string {
  return quoted
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gsu,
      (_, x?: string, u?: string, long?: string, octal?: string, short: string = '') => {
        const code = x ?? u ?? long;
        if (code !== undefined || octal !== undefined) {
          const point = code === undefined ? parseInt(octal ?? '', 8) : parseInt(code, 16);
          return point > 0x10ffff ? fail('an invalid character') : String.fromCodePoint(point);
        }
        return GO_ESCAPES[short] ?? fail(`the unknown escape \\${short}`);
      },
    );
}
