/** A call to be signed, as it goes out. */
export interface SignedCall {
  method: string;
  /** Path and query, percent-encoded. */
  path: string;
  /** As in `Host`. */
  host: string;
  /** `Date`, where there is one. The API names it among what it signs, and sends none. */
  date?: string | undefined;
}

/** The API names these, in this order. */
const SIGNED_HEADERS = '(request-target) host date';

/**
 * What a signature of the API is over (draft-cavage-http-signatures-06, as httpsig.v0 for Go makes
 * it): the path decoded, the query as it is; a header that the request does not have adds no line.
 *
 * @throws URIError for a path that cannot be decoded, which Go cannot call either
 */
export function signingString({ method, path, host, date }: SignedCall): string {
  const [encoded = '', ...query] = path.split('?');
  const target = [decodeURIComponent(encoded), ...query].join('?');
  return [
    `(request-target): ${method.toLowerCase()} ${target}`,
    `host: ${host}`,
    ...(date === undefined ? [] : [`date: ${date}`]),
  ].join('\n');
}

/** The value of `Authorization`. The order of its parameters is any: Go writes a map. */
export function signatureHeader(keyId: string, signature: string, turn = 0): string {
  const parameters = [
    `keyId="${keyId}"`,
    'algorithm="rsa-sha256"',
    `headers="${SIGNED_HEADERS}"`,
    `signature="${signature}"`,
  ];
  const first = turn % parameters.length;
  return `Signature ${[...parameters.slice(first), ...parameters.slice(0, first)].join(',')}`;
}
