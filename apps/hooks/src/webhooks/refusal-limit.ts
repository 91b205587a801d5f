import { isIP } from 'node:net';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { CdsError } from '@cds/wire';
import { Refusal } from './refusal';

/** Refusals of an address in a minute; further ones are answered 429. */
export const REFUSALS_PER_MINUTE = 60;
const WINDOW_MS = 60_000;
/** Addresses that are counted. Beyond that the least recent one starts again. */
const MAX_ADDRESSES = 10_000;

/**
 * Counts deliveries to unknown hooks and unauthentic ones, for each address in this process.
 *
 * It only decides how a refusal is answered. Accepted deliveries are never counted and never
 * limited, since without trusted proxies all of them may come from one address. A malformed
 * delivery is not counted: its sender knows a hook, so there is nothing to guess.
 */
export function createRefusalLimit() {
  const { retryAfter, count } = createAddressLimit(REFUSALS_PER_MINUTE, WINDOW_MS);

  return {
    retryAfter,

    /** Counts a refusal that a stranger can cause. @returns the answer to the sender */
    apply(error: CdsError, address: string): CdsError {
      if (!(error instanceof Refusal) || !error.isOfStranger) return error;
      const seconds = retryAfter(address);
      count(address);
      if (seconds === undefined) return error;
      return new Refusal('limited', { headers: { 'Retry-After': String(seconds) } });
    },
  };
}

/** Bounds what is counted for each address, in this process. */
export function createAddressLimit(max: number, windowMs: number) {
  const counts = new LRUCache<string, number>({
    ...maxEntries(MAX_ADDRESSES),
    ttl: windowMs,
    noUpdateTTL: true,
  });

  return {
    /** Whole seconds until the limit ends; undefined when the address is not over it. */
    retryAfter(address: string): number | undefined {
      const network = networkOf(address);
      if ((counts.get(network) ?? 0) < max) return undefined;
      return Math.max(1, Math.ceil(counts.getRemainingTTL(network) / 1_000));
    },

    /** @returns how many there are in this window */
    count(address: string): number {
      const network = networkOf(address);
      const counted = (counts.get(network) ?? 0) + 1;
      counts.set(network, counted);
      return counted;
    },
  };
}

/**
 * What counts as one address: an IPv4 address, in any notation, or the /64 of an IPv6 address,
 * which is what one customer has. Empty for what is no address.
 */
export function networkOf(address: string): string {
  const [ip = ''] = address.replace(/^::ffff:(?=\d+\.)/i, '').split('%');
  if (isIP(ip) !== 6) return isIP(ip) === 4 ? ip : '';
  // An IPv4 address at the end stands for the last two groups.
  const [head = '', tail] = ip.replace(/:\d+\.[\d.]+$/, ':0:0').split('::');
  const first = groupsOf(head);
  const last = groupsOf(tail ?? '');
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  const groups = [...first, ...zeros, ...last].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
