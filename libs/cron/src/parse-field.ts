import { CronError } from './cron-error';
import { DAY_OF_MONTH, DAY_OF_WEEK, type Field } from './fields';

/** A part of a field, in lower case. */
interface Part {
  text: string;
  /** Of its first character in the expression, from 1. */
  column: number;
}

export interface FieldText extends Part {
  /** Of the field, from 1. */
  number: number;
}

/**
 * The entries of a field in croner's form (`3`, `15W`, `5#2`); undefined for any value. An entry
 * `*` makes the whole field any value, as in cronexpr.
 *
 * @throws CronError
 */
export function parseField(at: FieldText, field: Field): string[] | undefined {
  const fail = (part: Part, why: string): never => {
    throw new CronError(
      `field ${at.number} (${field.name}) at column ${part.column}: ${why}`,
      part.column,
    );
  };

  function valueOf(part: Part): number {
    const { text } = part;
    const named = Object.hasOwn(field.names, text) ? field.names[text] : undefined;
    if (named !== undefined) return named;
    if (!/^\d+$/.test(text)) {
      return fail(part, text === '' ? 'a value is missing' : `${quoted(text)} is no ${field.name}`);
    }
    if (text.length > 1 && text.startsWith('0') && !(field.leadingZero && text.length === 2)) {
      return fail(part, `write ${Number(text)} in place of ${quoted(text)}`);
    }
    const value = Number(text);
    // Sunday has two numbers.
    if (field === DAY_OF_WEEK && value === 7) return 0;
    if (value > field.max) return fail(part, `${text.slice(0, 20)} is beyond ${field.max}`);
    if (value < field.min) return fail(part, `${text} is below ${field.min}`);
    return value;
  }

  function stepOf(part: Part): number {
    if (!/^\d+$/.test(part.text)) return fail(part, 'a step is a number');
    const step = Number(part.text);
    if (step < 1 || step > field.maxStep || part.text.length > 2) {
      return fail(part, `a step is a number from 1 to ${field.maxStep}`);
    }
    return step;
  }

  function rangeOf(part: Part): { first: number; last?: number } {
    const [from, to] = cut(part, '-');
    const first = valueOf(from);
    if (!to) return { first };
    const last = valueOf(to);
    if (field === DAY_OF_WEEK && to.text === '7') {
      return fail(to, 'a range cannot end in 7: Sunday is 0 there, list it as ,0');
    }
    if (last < first) {
      return fail(part, `the range ${quoted(part.text)} goes backwards: list its two halves`);
    }
    return { first, last };
  }

  /** Days that are no plain numbers; undefined for anything else. */
  function specialDay(part: Part): string | undefined {
    const { text } = part;
    if (field === DAY_OF_MONTH) {
      if (text === 'l' || text === 'lw') return text.toUpperCase();
      if (text.endsWith('w')) return `${valueOf({ ...part, text: text.slice(0, -1) })}W`;
    }
    if (field === DAY_OF_WEEK) {
      const [day, nth] = cut(part, '#');
      if (nth) {
        if (!/^[1-5]$/.test(nth.text)) fail(nth, 'a number from 1 to 5 has to follow #');
        return `${valueOf(day)}#${nth.text}`;
      }
      if (text === 'l')
        return fail(part, 'L alone is no day of the week: write 5L for the last Friday');
      if (text.endsWith('l')) return `${valueOf({ ...part, text: text.slice(0, -1) })}L`;
    }
    return undefined;
  }

  function entriesOf(part: Part): string[] | undefined {
    if (part.text === '*' || part.text === '?') return undefined;
    const special = specialDay(part);
    if (special !== undefined) return [special];
    const [range, by] = cut(part, '/');
    const step = by ? stepOf(by) : 1;
    if (range.text === '*') return series(field.min, field.max, step);
    const { first, last = by ? field.max : first } = rangeOf(range);
    return series(first, last, step);
  }

  const parts = partsOf(at);
  if (parts.length === 0) fail(at, 'it holds only commas');
  const all = parts.map(entriesOf);
  return all.includes(undefined) ? undefined : [...new Set(all.flatMap((some) => some ?? []))];
}

/** As in cronexpr, an empty part is skipped. */
function partsOf({ text, column }: FieldText): Part[] {
  return [...text.matchAll(/[^,]+/g)].map((match) => ({
    text: match[0].toLowerCase(),
    column: column + match.index,
  }));
}

/** The text before and after the first `sign`. */
function cut({ text, column }: Part, sign: string): [Part, Part?] {
  const at = text.indexOf(sign);
  if (at < 0) return [{ text, column }];
  return [
    { text: text.slice(0, at), column },
    { text: text.slice(at + 1), column: column + at + 1 },
  ];
}

function series(first: number, last: number, step: number): string[] {
  const values: string[] = [];
  for (let value = first; value <= last; value += step) values.push(String(value));
  return values;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
