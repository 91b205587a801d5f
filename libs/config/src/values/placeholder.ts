/**
 * Whether `value` is what a printed configuration holds where something has to be filled in: `xxxxx`,
 * `enter sharedInfraToken from section [api.auth] here`, `************`. Such a value counts as missing.
 */
function isPlaceholder(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^(x{3,}|\*{8,}|enter (sharedInfraToken|the token that CDS).*)$/i.test(value.trim())
  );
}

/** Whether nothing was filled in. */
export function isMissing(value: unknown): boolean {
  return (
    value === undefined ||
    (typeof value === 'string' && value.trim() === '') ||
    isPlaceholder(value)
  );
}
