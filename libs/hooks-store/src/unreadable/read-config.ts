import type { HookConfig } from '@cds/wire';

/**
 * The configuration of a hook from Redis (JSON), without impossible values.
 * @returns undefined when it is unreadable
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

/** Undefined for invalid JSON. */
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
