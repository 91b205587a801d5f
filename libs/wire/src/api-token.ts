/**
 * Whether a token is that of a consumer, which CDS 0.44 and later make for a service: a JWS, three
 * parts joined by dots. Anything else is the shared.infra token of CDS 0.40 to 0.43.
 */
export function isConsumerToken(token: string): boolean {
  const parts = token.split('.');
  return parts.length === 3 && parts.every((part) => part !== '');
}
