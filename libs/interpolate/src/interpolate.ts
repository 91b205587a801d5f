import { type Budget, createBudget } from './budget';
import { HELPERS } from './helpers';
import { InterpolateError } from './interpolate-error';
import { type Operand, parseAction, type Pipeline } from './parse-action';
import { textOf, type Value } from './value';

/** Characters of a result when nothing else is said. */
export const MAX_CHARACTERS = 1024 * 1024;

export interface InterpolateOptions {
  /** Most characters of the result, and of every value on the way to it. */
  limit?: number;
  /** Shared by texts that belong together; one of its own, {@link MAX_WORK}, when not given. */
  budget?: Budget;
}

/** With one of these, a variable that is not known has no value, and is not left as it is written. */
const TAKE_UNKNOWN = ['default', 'ternary'];

/**
 * Fills variables into a text, as CDS does: `{{.git.branch | lower | trunc 20}}`.
 *
 * What names a variable or a helper that is not known is left as it is written, unless `default` or `ternary` is used.
 *
 * @param variables by their whole name, without the dot in front
 * @throws InterpolateError for what cannot be read, a helper given what it does not take, and
 *   results that are too large; TooMuchWorkError when the work of all expressions together is more
 *   than `budget` has left
 */
export function interpolate(
  text: string,
  variables: ReadonlyMap<string, string>,
  options: InterpolateOptions = {},
): string {
  const { limit = MAX_CHARACTERS, budget = createBudget() } = options;
  const context: Context = { variables, limit, budget };
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
    const operands = operandsOf(pipeline);
    budget.spend({ steps: 1 + operands.length });
    const value = isLeftAsWritten(operands, variables)
      ? text.slice(opened, end)
      : textOf(evaluate(pipeline, context));
    put(value);
    at = end;
  }
  put(text.slice(at));
  return parts.join('');
}

interface Context {
  variables: ReadonlyMap<string, string>;
  limit: number;
  budget: Budget;
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

function isLeftAsWritten(operands: Operand[], variables: Context['variables']): boolean {
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
  const { limit, budget } = context;
  const characters = helper.reads?.(values) ?? lengthOf(values);
  budget.spend({ characters });
  const result = helper.call(values, limit);
  if (typeof result === 'string') checkLength(result.length, limit);
  budget.spend({ characters: lengthOf([result]) });
  return result;
}

function lengthOf(values: readonly Value[]): number {
  let length = 0;
  for (const value of values) if (typeof value === 'string') length += value.length;
  return length;
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
