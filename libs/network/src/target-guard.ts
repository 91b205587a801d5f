import { lookup as systemLookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { type Address, isWithin, meaningsOf, parseAddress, rangeOf } from './embedded-addresses';

/** A target that must not be called. The message says which key of the configuration decides. */
export class TargetRefusedError extends Error {
  override readonly name = 'TargetRefusedError';
}

export interface TargetRules {
  allow: readonly string[];
  deny: readonly string[];
}

/** Refused unless allowed: this machine, its link, and what is no single host. */
const REFUSED_RANGES = [
  'loopback',
  'linkLocal',
  'siteLocal',
  'unspecified',
  'multicast',
  'broadcast',
];
/** Credentials of clouds: AWS, Google, Oracle, Scaleway; Alibaba, Azure, Oracle. */
const METADATA = [
  'fd00:ec2::/32',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
];

/** Names of the proxy's own machine. */
const LOOPBACK_NAME =
  /(^|\.)(localhost|localhost\.localdomain)$|^(localhost6|ip6-localhost|ip6-loopback)$/;
const METADATA_NAMES = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);
/** A lookup for a proxied call; a silent name server must not hold the call up. */
const LOOK_MS = 2_000;

interface Rules {
  all: boolean;
  hasNetworks: boolean;
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
    hasNetworks: networks.length > 0,
    isName: (host) => names.has(host) || suffixes.some((suffix) => host.endsWith(suffix)),
    isAddress: (address) => networks.some((network) => isWithin(address, network)),
  };
}

/**
 * As it is written; only an IPv4 network in the IPv6 form of one (`::ffff:10.0.0.0/104`) is that
 * IPv4 network.
 */
function networkOf(base: Address, bits: string | undefined): [Address, number] {
  const whole = base.kind() === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? whole : Math.min(Number(bits), whole);
  if (base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && length >= 96)
    return [base.toIPv4Address(), length - 96];
  return [base, length];
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

export type TargetGuard = ReturnType<typeof createTargetGuard>;

/**
 * Decides which targets an outgoing webhook, or a hook of a queue, may connect to. `deny` wins over
 * `allow`; its `*` is everything that `allow` does not name. Addresses of this machine, of its link
 * and of metadata services are refused unless `allow` names them, or the host. An IPv4 address in
 * an IPv6 address counts in its place.
 * @param system stands for the system's resolver and interfaces in tests
 */
export function createTargetGuard(
  rules: TargetRules,
  system: {
    resolve?: typeof systemLookup;
    addressesOf?: (host: string) => Promise<string[]>;
    interfaces?: typeof networkInterfaces;
  } = {},
) {
  const {
    resolve = systemLookup,
    addressesOf = addressesInDns,
    interfaces = networkInterfaces,
  } = system;
  const [allow, deny] = [readRules(rules.allow), readRules(rules.deny)];
  const metadata = readRules(METADATA);

  /** Why not, for people; undefined when it may be called. */
  function whyNot(host: string, text: string): string | undefined {
    const written = parseAddress(text);
    const meanings = meaningsOf(written);
    if (deny.isName(host) || [written, ...meanings].some(deny.isAddress))
      return 'is denied by hooks.outgoing.deny';
    if (allow.all || allow.isName(host)) return undefined;
    const unnamed = meanings.filter((meaning) => !allow.isAddress(meaning));
    if (deny.all && unnamed.length > 0)
      return 'is not named by hooks.outgoing.allow, and hooks.outgoing.deny holds "*"';
    for (const meaning of unnamed) {
      const kind = refusedKind(meaning);
      if (kind !== undefined) return `is ${kind}, which hooks.outgoing.allow does not name`;
    }
    return undefined;
  }

  function refusedKind(address: Address): string | undefined {
    if (metadata.isAddress(address)) return 'a metadata address';
    const range = rangeOf(address);
    if (REFUSED_RANGES.includes(range)) return `a ${range} address`;
    return isOwnAddress(address) ? 'an address of this machine' : undefined;
  }

  /** Whether an address is of this machine's interfaces, read anew: they come and go. */
  function isOwnAddress(address: Address): boolean {
    const text = address.toString();
    return Object.values(interfaces())
      .flatMap((addresses) => addresses ?? [])
      .flatMap((own) => meaningsOf(parseAddress(own.address)))
      .some((meaning) => meaning.toString() === text);
  }

  /** What can be told before the name is resolved. @throws TargetRefusedError */
  function check(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new TargetRefusedError(`${url.protocol} URLs are not called: http and https alone`);
    }
    checkHost(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  }

  /** The same for the host alone, an address without brackets. @throws TargetRefusedError */
  function checkHost(name: string): void {
    const host = plainName(name);
    if (host === '') throw new TargetRefusedError('the URL names no host');
    const reason = isIP(host) !== 0 ? whyNot(host, host) : whyNotByName(host);
    if (reason !== undefined) throw new TargetRefusedError(`${host} ${reason}`);
  }

  function whyNotByName(host: string): string | undefined {
    return deny.isName(host) ? 'is denied by hooks.outgoing.deny' : undefined;
  }

  /**
   * Checks the name of a target behind a proxy, and the addresses found for it here; the proxy has
   * its own rules. @throws TargetRefusedError
   */
  async function checkBehindProxy(url: URL): Promise<void> {
    check(url);
    const host = plainName(url.hostname);
    if (isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0 || allow.all || allow.isName(host)) return;
    const refuse = (reason: string) => new TargetRefusedError(`${host} ${reason}`);
    if (LOOPBACK_NAME.test(host) || METADATA_NAMES.has(host))
      throw refuse(
        'is the name of a loopback or metadata address, which hooks.outgoing.allow does not name',
      );
    const addresses = await addressesOf(host);
    if (addresses.length === 0 && deny.all)
      throw refuse('is not named by hooks.outgoing.allow, and hooks.outgoing.deny holds "*"');
    if (addresses.length === 0 && deny.hasNetworks)
      throw refuse(
        'cannot be resolved here, so that nobody knows whether a network of hooks.outgoing.deny has it: name it in hooks.outgoing.allow',
      );
    for (const address of addresses) {
      const reason = whyNot(host, address);
      if (reason !== undefined) throw new TargetRefusedError(`${host}, at ${address}, ${reason}`);
    }
  }

  /** Resolves for the connection itself, so that what is checked is what is connected to. */
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
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

  return { check, checkHost, checkBehindProxy, lookup };
}

/** The system's resolver has few threads, and a silent name server blocks one for many seconds. */
async function addressesInDns(host: string): Promise<string[]> {
  const dns = new Resolver({ timeout: LOOK_MS, tries: 1 });
  const found = await Promise.allSettled([dns.resolve4(host), dns.resolve6(host)]);
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}
