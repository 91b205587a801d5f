import type { HookConfig, HookConfigValue } from '@cds/wire';
import type { Redis } from 'ioredis';
import { unlessOfAnotherType } from '../pipeline-replies';
import { hookKeys } from '../redis-keys';

/**
 * The configuration of a hook from Redis (JSON), without impossible values.
 * @returns undefined when it is unreadable
 */
export function readConfig(json: string | null | undefined): HookConfig | null | undefined {
  const value = parseJson(json ?? 'null');
  if (value === null) return null;
  if (!isObject(value)) return undefined;
  // Almost none has any, and a copy of it takes longer than the rest.
  if (Object.values(value).every(isPossible)) return value as HookConfig;
  const entries = Object.entries(value).filter(([, each]) => isPossible(each));
  return Object.fromEntries(entries) as HookConfig;
}

function isPossible(value: unknown): boolean {
  return isObject(value) && typeof value.value === 'string';
}

/**
 * The configuration of a task now; null without one.
 * @returns undefined when it is unreadable
 */
export async function readTaskConfig(redis: Redis, uuid: string) {
  return readConfig(await unlessOfAnotherType(redis.hget(hookKeys(uuid).task, 'config')));
}

/** A value that nobody configures. */
export function configValue(value: string | number): HookConfigValue {
  return { value: String(value), configurable: false, type: '', multiple_choice_list: null };
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
