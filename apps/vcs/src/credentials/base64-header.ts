import { CdsError } from '@cds/wire';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * The bytes of a header that the API sends in base64; empty when it is absent.
 * @throws CdsError 401 when it is not base64
 */
export function readBase64Header(headers: IncomingHttpHeaders, name: string): Buffer {
  const value = headers[name] ?? '';
  const bytes = Buffer.from(String(value), 'base64');
  if (stripPadding(bytes.toString('base64')) !== stripPadding(String(value)))
    throw new CdsError('notAuthenticated', {
      from: `header ${name.toUpperCase()} is not in base64`,
    });
  return bytes;
}

/** Whether a header can carry it: printable ASCII. */
export function isToken(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

function stripPadding(text: string): string {
  return text.replace(/={1,2}$/, '');
}
