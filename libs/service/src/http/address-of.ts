import type { IncomingMessage } from 'node:http';
import proxyaddr from 'proxy-addr';

/** The address of a sender, as far as trusted proxies report it; '' after its connection closed. */
export function createAddressOf(
  trustedProxies: readonly string[],
): (request: IncomingMessage) => string {
  if (trustedProxies.length === 0) return ({ socket }) => socket.remoteAddress ?? '';
  const trust = proxyaddr.compile([...trustedProxies]);
  return (request) => (request.socket.remoteAddress === undefined ? '' : proxyaddr(request, trust));
}
