import { parseUrl } from '@cds/network';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** One part of a host name. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const TOP_LEVEL = /^([a-z][a-z-]{0,61}[a-z]|xn--[a-z0-9-]{1,59})$/;

/**
 * Why Bitbucket Cloud answers "Enter a valid URL." to a link there; undefined where it takes it. It
 * wants a host name as the internet has them, `localhost`, or an address.
 */
export function whyNoLink(url: string): string | undefined {
  const hostname = parseUrl(url)?.hostname;
  if (hostname === undefined) return 'is not a URL';
  if (hostname === 'localhost' || isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0)
    return undefined;
  const labels = hostname.replace(/\.$/, '').split('.');
  if (labels.length < 2) return 'has a host without a dot';
  const top = labels.pop() ?? '';
  return labels.every((label) => LABEL.test(label)) && TOP_LEVEL.test(top)
    ? undefined
    : 'has a host that is no name of the internet (letters, digits and hyphens between dots)';
}

/**
 * Names that nobody outside can resolve: https://www.iana.org/assignments/special-use-domain-names
 */
const INTERNAL_NAME =
  /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|test|invalid|home\.arpa)\.?$/;

/** Of `ipaddr.js`: of this machine, of private networks, or none. */
const INTERNAL_RANGES = /^(loopback|private|carrierGradeNat|uniqueLocal|linkLocal|unspecified)$/;

/**
 * Why Bitbucket Cloud cannot deliver a webhook there; undefined where nothing speaks against it.
 */
export function whyUnreachable(url: string): string | undefined {
  const { hostname } = new URL(url);
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0)
    return INTERNAL_RANGES.test(ipaddr.parse(address).range())
      ? 'is an address of this machine or a private network'
      : undefined;
  if (INTERNAL_NAME.test(hostname)) return 'is a name that is known inside a network alone';
  return hostname.replace(/\.$/, '').includes('.')
    ? undefined
    : 'has a host without a dot, which is known inside a network alone';
}
