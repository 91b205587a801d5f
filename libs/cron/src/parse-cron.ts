import { CronError } from './cron-error';
import { DAY_OF_MONTH, FIELDS } from './fields';
import { type FieldText, parseField } from './parse-field';

const PREDEFINED: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 * *',
  '@annually': '0 0 0 1 1 * *',
  '@monthly': '0 0 0 1 * * *',
  '@weekly': '0 0 0 * * 0 *',
  '@daily': '0 0 0 * * * *',
  '@hourly': '0 0 * * * * *',
};

const MAX_CHARACTERS = 1_000;
/** The last working day of the month: croner takes it in a pattern of its own. */
const LAST_WORKING_DAY = 'LW';

/**
 * Translates an expression of github.com/gorhill/cronexpr, with 5, 6 or 7 fields, into patterns of
 * croner with 7 fields. Their times together are those of the expression.
 *
 * @throws CronError
 */
export function parseCron(expression: string): string[] {
  if (expression.length > MAX_CHARACTERS) {
    failAt(MAX_CHARACTERS + 1, `it is longer than ${MAX_CHARACTERS} characters`);
  }
  // The white space of cronexpr, no other.
  const found = [...expression.matchAll(/[^ \t\n\f\r]+/g)];
  const [first] = found;
  if (first?.[0].startsWith('@')) return parsePredefined(found);
  if (found.length < 5 || found.length > 7) {
    const column = found.length > 7 ? columnOf(found[7]) : expression.length + 1;
    failAt(
      column,
      `it has ${found.length} fields, ` +
        'not 5 (minute, hour, day of the month, month, day of the week), ' +
        '6 with the year at the end, or 7 with the seconds in front too',
    );
  }
  const fields = found.map((match, index): FieldText => ({
    text: match[0],
    column: columnOf(match),
    number: index + 1,
  }));
  return patternsOf(fields);
}

function parsePredefined(found: RegExpExecArray[]): string[] {
  const name = found[0]?.[0] ?? '';
  const pattern = Object.hasOwn(PREDEFINED, name) ? PREDEFINED[name] : undefined;
  if (pattern === undefined) {
    return failAt(
      columnOf(found[0]),
      `${JSON.stringify(name.slice(0, 40))} is unknown, in lower case these are known: ` +
        Object.keys(PREDEFINED).join(', '),
    );
  }
  if (found.length > 1) failAt(columnOf(found[1]), `nothing may follow ${name}`);
  return [pattern];
}

function failAt(column: number, problem: string): never {
  throw new CronError(`at column ${column}: ${problem}`, column);
}

function columnOf(match: RegExpExecArray | undefined): number {
  return (match?.index ?? 0) + 1;
}

function patternsOf(fields: readonly FieldText[]): string[] {
  const offset = fields.length === 7 ? 0 : 1;
  const entries = FIELDS.map((field, index) => {
    const text = fields[index - offset];
    if (text) return parseField(text, field);
    return index === 0 ? ['0'] : undefined;
  });
  const days = entries[FIELDS.indexOf(DAY_OF_MONTH)];
  const withDays = (some: string[] | undefined) =>
    FIELDS.map((field, index) => (field === DAY_OF_MONTH ? some : entries[index]))
      .map((values) => values?.join(',') ?? '*')
      .join(' ');
  if (!days?.includes(LAST_WORKING_DAY)) return [withDays(days)];
  const others = days.filter((day) => day !== LAST_WORKING_DAY);
  const last = withDays([LAST_WORKING_DAY]);
  return others.length > 0 ? [withDays(others), last] : [last];
}
