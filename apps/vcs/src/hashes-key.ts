/**
 * Sorted set: fingerprints of the hashes that the API gave to a service of this name → when it did
 * last (ms).
 */
export function hashesKey(name: string): string {
  return `cdsbb:vcs:hashes:${name}`;
}
