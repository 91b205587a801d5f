import { InterpolateError } from './interpolate-error';

/** `bigint`: a 64-bit integer. `null`: an unknown variable. */
export type Value = string | bigint | number | boolean | null;

const ANOTHER_BASE = /^([+-]?)0([xX][0-9a-fA-F]+|[bB][01]+|[oO]?[0-7]+)$/;
/** Holds a 64-bit integer in any base, and some zeros in front. */
const MAX_INTEGER_LENGTH = 100;

export function textOf(value: Value): string {
  return value === null ? '<no value>' : String(value);
}

/** Reads Go's notation (`0x1f`, `017`); 0 for other text. */
function integerOf(text: string): bigint {
  const trimmed = text.replace(/^(\d{1,20})\.0{1,20}$/, '$1');
  if (trimmed.length > MAX_INTEGER_LENGTH) return 0n;
  const based = ANOTHER_BASE.exec(trimmed);
  if (based) {
    const [, sign, digits = ''] = based;
    const value = BigInt(/^[0-7]/.test(digits) ? `0o${digits}` : `0${digits.toLowerCase()}`);
    return inRange(sign === '-' ? -value : value);
  }
  return /^[+-]?\d+$/.test(trimmed) ? inRange(BigInt(trimmed.replace(/^\+/, ''))) : 0n;
}

function inRange(value: bigint): bigint {
  return BigInt.asIntN(64, value) === value ? value : 0n;
}

/** For arithmetic helpers, which take anything: 0 for what is no number. */
export function toInteger(value: Value): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : 0n;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return integerOf(value);
    default:
      return 0n;
  }
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/** For `ternary`, which takes anything. */
export function toBoolean(value: Value): boolean {
  if (typeof value === 'string') return TRUE.has(value);
  return value !== null && value !== false && value !== 0n && value !== 0;
}

/** Whether a value is the zero of its type. */
export function isEmpty(value: Value): boolean {
  return value === null || value === '' || value === false || value === 0n || value === 0;
}

/** @throws InterpolateError for other values */
export function asText(value: Value, helper: string): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  throw new InterpolateError(`${helper} works on text`);
}

/** @throws InterpolateError for other values, also for text that holds a number */
export function asCount(value: Value, helper: string): number {
  if (typeof value === 'bigint' && value >= -(2n ** 31n) && value < 2n ** 31n) return Number(value);
  throw new InterpolateError(`${helper} needs a whole number, written without quotes`);
}
