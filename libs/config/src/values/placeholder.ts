/** What a printed configuration holds where something has to be filled in, from CDS, too. */
const PLACEHOLDER = /^(x{3,}|\*{8,}|enter (sharedInfraToken|the token that CDS).*)$/i;

/**
 * Whether nothing was filled in: also for `xxxxx`, `************` and
 * `enter sharedInfraToken from section [api.auth] here`.
 */
export function isMissing(value: unknown): boolean {
  if (typeof value !== 'string') return value === undefined;
  return value.trim() === '' || PLACEHOLDER.test(value.trim());
}
