import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';

/**
 * Milliseconds for the handshake with one address of a host that has several. A lost SYN is sent
 * again after one second, so that this allows for one and a slow way; the next address is not kept
 * waiting for longer.
 */
export const ADDRESS_TIMEOUT_MS = 2_500;

/**
 * Gives every connection of the process time for its handshake. Node's default aborts it after 250
 * ms for each address but the last (https://github.com/nodejs/node/issues/54359). To be called
 * once, before anything connects.
 */
export function allowSlowConnects(): void {
  setDefaultAutoSelectFamilyAttemptTimeout(ADDRESS_TIMEOUT_MS);
}
