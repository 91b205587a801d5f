import type { HookConfig } from '@cds/wire';

/**
 * The configuration of a hook as Redis has it (JSON). Values that no configuration can have are
 * left out.
 *
 * @returns undefined when it cannot be read
 */
export function readConfig(json: string | null | undefined): HookConfig | null | undefined {
  const value = parseJson(json ?? 'null');
  if (value === null) return null;
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).filter(
    ([, each]) => isObject(each) && typeof each.value === 'string',
  );
  return Object.fromEntries(entries) as HookConfig;
}

/** Undefined for what is no JSON. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
