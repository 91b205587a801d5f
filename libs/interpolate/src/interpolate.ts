import { HELPERS } from './helpers';
import { InterpolateError } from './interpolate-error';
import { type Operand, parseAction, type Pipeline } from './parse-action';
import { textOf, type Value } from './value';

/** Characters of a result when nothing else is said. */
export const MOST_CHARACTERS = 1024 * 1024;

export interface InterpolateOptions {
  /** Most characters of the result, and of every value on the way to it. */
  limit?: number;
}

/** With one of these, a variable that is not known has no value, and is not left as it is written. */
const TAKE_UNKNOWN = ['default', 'ternary'];

/**
 * Fills variables into a text, as CDS does: `{{.git.branch | lower | trunc 20}}`.
 *
 * What names a variable or a helper that is not known is left as it is written, unless `default` or `ternary` is used.
 *
 * @param variables by their whole name, without the dot in front
 * @throws InterpolateError for what cannot be read, a helper given what it does not take, and results that are too large
 */
export function interpolate(
  text: string,
  variables: ReadonlyMap<string, string>,
  options: InterpolateOptions = {},
): string {
  const { limit = MOST_CHARACTERS } = options;
  const parts: string[] = [];
  let length = 0;
  const put = (part: string): void => {
    length += part.length;
    checkLength(length, limit);
    parts.push(part);
  };

  let at = 0;
  for (;;) {
    const opened = text.indexOf('{{', at);
    if (opened < 0) break;
    put(text.slice(at, opened));
    const { pipeline, end } = parseAction(text, opened + 2);
    const value = isLeftAsWritten(pipeline, variables)
      ? text.slice(opened, end)
      : textOf(evaluate(pipeline, { variables, limit }));
    put(value);
    at = end;
  }
  put(text.slice(at));
  return parts.join('');
}

interface Context {
  variables: ReadonlyMap<string, string>;
  limit: number;
}

function checkLength(length: number, limit: number): void {
  if (length > limit) {
    throw new InterpolateError(`the result would have more than ${limit} characters`);
  }
}

function operandsOf(pipeline: Pipeline): Operand[] {
  return pipeline
    .flat()
    .flatMap((operand) => (operand.kind === 'pipeline' ? operandsOf(operand.pipeline) : [operand]));
}

function isLeftAsWritten(pipeline: Pipeline, variables: Context['variables']): boolean {
  const operands = operandsOf(pipeline);
  const words = operands.flatMap((operand) => (operand.kind === 'word' ? [operand.name] : []));
  if (words.some((word) => !HELPERS.has(word))) return true;
  if (words.some((word) => TAKE_UNKNOWN.includes(word))) return false;
  return operands.some((operand) => operand.kind === 'variable' && !variables.has(operand.name));
}

/** Each command gets what the one before it gave as its last value. */
function evaluate(pipeline: Pipeline, context: Context): Value {
  let piped: Value[] = [];
  for (const command of pipeline) piped = [run(command, piped, context)];
  return piped[0] ?? null;
}

function run(command: Operand[], piped: Value[], context: Context): Value {
  const [first, ...rest] = command;
  if (first?.kind !== 'word') {
    if (!first || rest.length > 0 || piped.length > 0) {
      throw new InterpolateError('a value is given values as if it were a helper');
    }
    return valueOf(first, context);
  }
  const helper = HELPERS.get(first.name);
  const values = [...rest.map((operand) => valueOf(operand, context)), ...piped];
  if (!helper) throw new InterpolateError(`there is no helper ${first.name}`);
  if (values.length < helper.least || values.length > helper.most) {
    const many = helper.most === helper.least ? helper.least : `${helper.least} or more`;
    throw new InterpolateError(`${first.name} takes ${many} values, and is given ${values.length}`);
  }
  const result = helper.call(values, context.limit);
  if (typeof result === 'string') checkLength(result.length, context.limit);
  return result;
}

function valueOf(operand: Operand, context: Context): Value {
  switch (operand.kind) {
    case 'constant':
      return operand.value;
    case 'variable':
      return context.variables.get(operand.name) ?? null;
    case 'pipeline':
      return evaluate(operand.pipeline, context);
    case 'word':
      return run([operand], [], context);
  }
}
