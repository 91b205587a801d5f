import type { Request } from 'express';
import type * as z from 'zod';
import { isTooComplex } from '@cds/network';
import { CdsError } from '@cds/wire';

/** The sentence that CDS gives for a body that is missing or cut off. */
const CUT_OFF = 'unexpected end of JSON input';
const MAX_PROBLEMS = 3;
/** A body of 10 MiB as CDS sends it has one for every ten bytes. */
const MAX_VALUES = 2_000_000;
/** What the API sends has a handful. */
const MAX_LEVELS = 1_000;

/** The JSON body of a request to a guarded route. @throws CdsError 400, id 74, for a wrong one */
export function readJson<T>(req: Request, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseBody(req.body));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  throw new CdsError('wrongRequest', { from: problems.join('; ') });
}

function parseBody(body: unknown): unknown {
  if (Buffer.isBuffer(body) && isTooComplex(body, MAX_VALUES)) {
    throw new CdsError('tooLarge', { from: `the body holds more than ${MAX_VALUES} values` });
  }
  if (Buffer.isBuffer(body) && isNestedDeeper(body, MAX_LEVELS)) {
    throw new CdsError('wrongRequest', {
      from: `the body is nested deeper than ${MAX_LEVELS} levels`,
    });
  }
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : '';
  if (text.trim() === '') throw new CdsError('wrongRequest', { from: CUT_OFF });
  try {
    return JSON.parse(text);
  } catch (error) {
    const cutOff =
      error instanceof SyntaxError && error.message.toLowerCase().includes(CUT_OFF.toLowerCase());
    // Without its cause: V8's messages quote the body, which may hold a secret.
    throw new CdsError('wrongRequest', { from: cutOff ? CUT_OFF : 'the body is not valid JSON' });
  }
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Whether a JSON text is nested deeper than `levels`. `JSON.parse` reads any depth, but recursive
 * readers of its result, `JSON.stringify` for one, exhaust the stack at some thousand levels.
 */
function isNestedDeeper(json: Uint8Array, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += byte === BACKSLASH ? 1 : 0;
    else if (OPENING.has(byte) && ++depth > levels) return true;
    else if (CLOSING.has(byte)) depth--;
  }
  return false;
}
