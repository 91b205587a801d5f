/**
 * A token in the form of those that CDS 0.44 and later make for a consumer. Nobody signed it.
 *
 * @param type what CDS says that it is for
 */
export function consumerToken(id: string, type = 'signinBuiltinConsumerToken'): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = { type, expire: 0, data: { consumer_id: id, iat: 1_700_000_000 } };
  return `${encode({ alg: 'PS512' })}.${encode(payload)}.c2lnbmF0dXJl`;
}
