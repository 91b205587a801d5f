import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A target that must not be called. The message says which key of the configuration decides. */
export class TargetRefusedError extends Error {
  override readonly name = 'TargetRefusedError';
}

export interface TargetGuard {
  /** What can be told before the name is resolved. @throws TargetRefusedError */
  check(url: URL): void;
  /** Resolves for the connection itself, so that what is checked is what is connected to. */
  lookup: LookupFunction;
}

export interface TargetRules {
  allow: readonly string[];
  deny: readonly string[];
}

/** Refused unless allowed: this machine, its link, and what is no single host. */
const REFUSED_RANGES = ['loopback', 'linkLocal', 'unspecified', 'multicast', 'broadcast'];
/** Where clouds hand out credentials, outside of link-local. */
const METADATA = [
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
];

interface Rules {
  all: boolean;
  isName(host: string): boolean;
  isAddress(address: Address): boolean;
}

function readRules(entries: readonly string[]): Rules {
  const networks: [Address, number][] = [];
  const names = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of entries) {
    const [base = '', bits] = entry.split('/');
    if (ipaddr.isValid(base)) {
      networks.push(networkOf(ipaddr.parse(base), bits));
    } else if (entry.startsWith('*.')) suffixes.push(plainName(entry.slice(1)));
    else names.add(plainName(entry));
  }
  return {
    all: entries.includes('*'),
    isName: (host) => names.has(host) || suffixes.some((suffix) => host.endsWith(suffix)),
    isAddress: (address) => networks.some(([network, bits]) => isWithin(address, network, bits)),
  };
}

/** As it is written; only an IPv4 network in the IPv6 form of one (`::ffff:10.0.0.0/104`) is that IPv4 network. */
function networkOf(base: Address, bits: string | undefined): [Address, number] {
  const whole = base.kind() === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? whole : Math.min(Number(bits), whole);
  if (base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && length >= 96)
    return [base.toIPv4Address(), length - 96];
  return [base, length];
}

function isWithin(address: Address, network: Address, bits: number): boolean {
  return address instanceof ipaddr.IPv6
    ? network instanceof ipaddr.IPv6 && address.match(network, bits)
    : network instanceof ipaddr.IPv4 && address.match(network, bits);
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

/** The address that is meant: an IPv4 address that stands in an IPv6 address is that IPv4 address. */
function plainAddress(text: string): Address {
  const address = ipaddr.parse(text.replace(/%.*$/, ''));
  if (!(address instanceof ipaddr.IPv6)) return address;
  const bytes = address.toByteArray();
  const isZero = (from: number, to: number): boolean =>
    bytes.slice(from, to).every((byte) => byte === 0);
  const v4 = (from: number): Address => new ipaddr.IPv4(bytes.slice(from, from + 4));
  switch (address.range()) {
    case 'ipv4Mapped':
      return address.toIPv4Address();
    case 'rfc6145':
    case 'rfc6052':
      return v4(12);
    case '6to4':
      return v4(2);
    default:
      // `::127.0.0.1`, which some systems still take for the IPv4 address; `::` and `::1` are what they are.
      return isZero(0, 12) && !isZero(12, 14) ? v4(12) : address;
  }
}

/**
 * Decides whom an outgoing webhook may call. `deny` wins over `allow`; its `*` is everything that `allow` does not name.
 * Addresses of this machine, of its link and of metadata services are refused unless `allow` names them, or the host.
 *
 * @param resolve stands for the system's resolver in tests
 */
export function createTargetGuard(
  rules: TargetRules,
  resolve: typeof systemLookup = systemLookup,
): TargetGuard {
  const [allow, deny] = [readRules(rules.allow), readRules(rules.deny)];
  const metadata = readRules(METADATA);

  /** Why not, for people; undefined when it may be called. */
  function whyNot(host: string, text: string): string | undefined {
    const address = plainAddress(text);
    const written = ipaddr.parse(text.replace(/%.*$/, ''));
    if (deny.isName(host) || deny.isAddress(address) || deny.isAddress(written))
      return 'is denied by hooks.outgoing.deny';
    if (allow.all || allow.isName(host) || allow.isAddress(address)) return undefined;
    if (deny.all) return 'is not named by hooks.outgoing.allow, and hooks.outgoing.deny holds "*"';
    const range = metadata.isAddress(address) ? 'metadata' : address.range();
    return range === 'metadata' || REFUSED_RANGES.includes(range)
      ? `is a ${range} address, which hooks.outgoing.allow does not name`
      : undefined;
  }

  const check = (url: URL): void => {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new TargetRefusedError(`${url.protocol} URLs are not called: http and https alone`);
    }
    const host = plainName(url.hostname.replace(/^\[(.*)\]$/, '$1'));
    if (host === '') throw new TargetRefusedError('the URL names no host');
    const reason = isIP(host) !== 0 ? whyNot(host, host) : whyNotByName(host);
    if (reason !== undefined) throw new TargetRefusedError(`${host} ${reason}`);
  };

  function whyNotByName(host: string): string | undefined {
    return deny.isName(host) ? 'is denied by hooks.outgoing.deny' : undefined;
  }

  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '');
      const addresses = found as unknown as LookupAddress[];
      const host = plainName(hostname);
      const permitted = addresses.filter(({ address }) => !whyNot(host, address));
      const [first] = permitted;
      if (!first) {
        const [refused] = addresses;
        const reason = refused && whyNot(host, refused.address);
        const message = refused
          ? `${host}, at ${refused.address}, ${reason}`
          : `${host} has no address`;
        return callback(new TargetRefusedError(message), '');
      }
      if (options.all) return callback(null, permitted);
      return callback(null, first.address, first.family);
    });
  };

  return { check, lookup };
}
