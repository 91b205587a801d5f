import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

const LOCAL_TRANSLATION = ipaddr.IPv6.parseCIDR('64:ff9b:1::/48');
const TEREDO = ipaddr.IPv6.parseCIDR('2001::/32');
const SITE_LOCAL = ipaddr.IPv6.parseCIDR('fec0::/10');

/** Reads an address as Node gives it, also with a zone (`fe80::1%eth0`). */
export function parseAddress(text: string): Address {
  return ipaddr.parse(text.replace(/%[^%]*$/, ''));
}

/** Whether a network of the same version holds the address. */
export function isWithin(address: Address, [base, bits]: [Address, number]): boolean {
  return address instanceof ipaddr.IPv6
    ? base instanceof ipaddr.IPv6 && address.match(base, bits)
    : base instanceof ipaddr.IPv4 && address.match(base, bits);
}

/** The kind of an address, in the words of ipaddr.js, and `siteLocal`, which it does not know. */
export function rangeOf(address: Address): string {
  return address instanceof ipaddr.IPv6 && address.match(SITE_LOCAL)
    ? 'siteLocal'
    : address.range();
}

/**
 * The addresses that a connection to `address` may lead to: itself, or the IPv4 addresses in it,
 * all candidates where its form does not tell which bits are one.
 */
export function meaningsOf(address: Address): Address[] {
  if (!(address instanceof ipaddr.IPv6)) return [address];
  const bytes = address.toByteArray();
  const v4 = (...at: [number, number, number, number]): ipaddr.IPv4 =>
    new ipaddr.IPv4(at.map((index) => bytes[index] ?? 0));
  const isZero = (from: number, to: number): boolean =>
    bytes.slice(from, to).every((byte) => byte === 0);

  const last = v4(12, 13, 14, 15);
  // `::ffff:a.b.c.d`; `::ffff:0:a.b.c.d` (RFC 6145); `64:ff9b::/96`, NAT64 (RFC 6052).
  switch (address.range()) {
    case 'ipv4Mapped':
    case 'rfc6145':
    case 'rfc6052':
      return [last];
    case '6to4':
      return [v4(2, 3, 4, 5)];
  }
  if (address.match(LOCAL_TRANSLATION)) return ofLocalTranslation();
  if (address.match(TEREDO)) {
    // RFC 4380, 4: the server, and the client with every bit turned.
    return [v4(4, 5, 6, 7), new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff))];
  }
  // `::a.b.c.d`, which some systems take for the IPv4 address; `::` and `::1` are not.
  if (isZero(0, 12) && !(isZero(12, 15) && (bytes[15] ?? 0) <= 1)) return [last];
  // ISATAP (RFC 5214, 6.1): below any prefix, which counts as well.
  const isIsatap = [0, 2].includes(bytes[8] ?? -1) && isSame(bytes.slice(9, 12), [0, 0x5e, 0xfe]);
  return isIsatap ? [address, last] : [address];

  /** NAT64 with a prefix of 48, 56, 64 or 96 bits (RFC 8215; RFC 6052, 2.2); unknown which. */
  function ofLocalTranslation(): Address[] {
    const forms: [ipaddr.IPv4, boolean][] = [
      [v4(6, 7, 9, 10), isZero(11, 16)],
      [v4(7, 9, 10, 11), isZero(12, 16)],
      [v4(9, 10, 11, 12), isZero(13, 16)],
      [last, true],
    ];
    const found = forms
      .filter(([form, isPossible]) => isPossible && form.toByteArray().some((byte) => byte !== 0))
      .map(([form]) => form);
    return found.length > 0 ? found : [last];
  }
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  return some.every((byte, index) => byte === others[index]);
}
