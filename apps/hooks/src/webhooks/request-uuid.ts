import type { IncomingHttpHeaders } from 'node:http';

/** Visible characters; several headers come joined by a comma and a space. */
const USABLE = /^[\x21-\x7e]{1,128}$/;

/**
 * What names a delivery over all attempts of its sender: Bitbucket sends again with the same `X-Request-UUID`. Empty
 * where there is none, or none that can be one: such a delivery is never taken for another one sent again.
 */
export function requestUuidOf(headers: IncomingHttpHeaders): string {
  const header = String(headers['x-request-uuid'] ?? '');
  return USABLE.test(header) ? header : '';
}
