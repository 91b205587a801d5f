import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';

/**
 * Milliseconds for the handshake with one address of several. A lost SYN is sent again after one
 * second: this allows for one and a slow way.
 */
export const ADDRESS_TIMEOUT_MS = 2_500;

/**
 * Gives every connection time for its handshake: Node aborts it after 250 ms for each address but
 * the last (https://github.com/nodejs/node/issues/54359). Call once, before connecting.
 */
export function allowSlowConnects(): void {
  setDefaultAutoSelectFamilyAttemptTimeout(ADDRESS_TIMEOUT_MS);
}
