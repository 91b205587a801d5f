import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type Address, isWithin } from './embedded-addresses';

/** A host (an address without brackets) and the port that is called. */
type Matches = (host: string, port: number) => boolean;

const NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/**
 * The entries of `NO_PROXY`, as Go reads them, between commas or spaces. `*` is everything;
 * `example.com` the host and all below it, `.example.com` and `*.example.com` all below it alone;
 * an address; a network (`10.0.0.0/8`), which matches addresses, not names. A port
 * (`example.com:8443`) restricts an entry to it.
 *
 * @returns `unknown`: entries that are none of this, which match nothing
 */
export function parseNoProxy(text: string): { matches: Matches; unknown: string[] } {
  const rules: Matches[] = [];
  const unknown: string[] = [];
  for (const entry of text.toLowerCase().split(/[\s,]+/)) {
    if (entry === '') continue;
    const rule = ruleOf(entry);
    if (rule) rules.push(rule);
    else unknown.push(entry);
  }
  return {
    unknown,
    matches: (name, port) => {
      const host = plainHost(name);
      return isLoopback(host) || rules.some((rule) => rule(host, port));
    },
  };
}

function ruleOf(entry: string): Matches | undefined {
  if (entry === '*') return () => true;
  const network = networkOf(entry);
  if (network) return (host) => isIP(host) !== 0 && isWithin(ipaddr.parse(host), network);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const name = bracketed ?? plain ?? (isIP(entry) === 6 ? entry : undefined);
  if (name === undefined) return undefined;
  const isPort = (called: number): boolean => port === undefined || Number(port) === called;
  if (isIP(name) !== 0) {
    const address = plainHost(name);
    return (host, called) => host === address && isPort(called);
  }
  if (bracketed !== undefined) return undefined;
  const suffix = name.replace(/^\*(?=\.)/, '').replace(/\.$/, '');
  const isBelowAlone = suffix.startsWith('.');
  if (!NAME.test(isBelowAlone ? suffix.slice(1) : suffix)) return undefined;
  const below = isBelowAlone ? suffix : `.${suffix}`;
  return (host, called) =>
    isIP(host) === 0 &&
    (host.endsWith(below) || (!isBelowAlone && host === suffix)) &&
    isPort(called);
}

function networkOf(entry: string): [Address, number] | undefined {
  if (!entry.includes('/')) return undefined;
  try {
    return ipaddr.parseCIDR(entry);
  } catch {
    return undefined;
  }
}

/** In one notation; an IPv4 address in the form of IPv6 is that IPv4 address. */
function plainHost(name: string): string {
  const host = name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  return isIP(host) === 0 ? host : ipaddr.process(host.replace(/%[^%]*$/, '')).toString();
}

function isLoopback(host: string): boolean {
  if (isIP(host) !== 0) return ipaddr.parse(host).range() === 'loopback';
  return host === 'localhost';
}
