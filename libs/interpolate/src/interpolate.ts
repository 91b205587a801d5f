import { type Budget, createBudget } from './budget';
import { checkSize, HELPERS } from './helpers';
import { InterpolateError } from './interpolate-error';
import { type Operand, parseAction, type Pipeline } from './parse-action';
import { textOf, type Value } from './value';

/** The default limit of a result. */
const MAX_CHARACTERS = 1024 * 1024;

interface InterpolateOptions {
  /** Characters of the result, and of every value on the way. */
  limit?: number;
  /** May be shared by several texts. The default is a new one. */
  budget?: Budget | undefined;
}

/** With one of these, an unknown variable has no value. */
const TAKE_UNKNOWN = ['default', 'ternary'];

/**
 * Fills variables into a text, as CDS does: `{{.git.branch | lower | trunc 20}}`. An expression
 * with an unknown variable or helper is left as it is, unless it uses `default` or `ternary`.
 *
 * @param variables by their whole name, without the dot in front
 * @throws InterpolateError for invalid expressions and too large results; TooMuchWorkError when the
 *   budget is spent
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
    checkSize(length, limit);
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

/** The result of each command is the last value of the next one. */
function evaluate(pipeline: Pipeline, context: Context): Value {
  let piped: Value[] = [];
  for (const command of pipeline) piped = [run(command, piped, context)];
  return piped[0] ?? null;
}

function run(command: Operand[], piped: Value[], context: Context): Value {
  const [first, ...rest] = command;
  if (first?.kind !== 'word') {
    if (!first || rest.length > 0 || piped.length > 0) {
      throw new InterpolateError('a value that is no helper takes no values');
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
  if (typeof result === 'string') checkSize(result.length, limit);
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
