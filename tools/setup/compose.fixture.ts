import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './repository.fixture';

export interface ComposeService {
  image?: string;
  build?: { target: string };
  profiles?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  volumes?: string[];
}

export interface ComposeFile {
  name: string;
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
}

/** Lists that the later file replaces; all other lists are joined, as Compose does. */
const REPLACED = new Set(['command', 'entrypoint', 'test']);

/** What Compose makes of `docker compose -f FIRST -f SECOND`, as far as these files use it. */
export function mergedCompose(...files: string[]): ComposeFile {
  return files
    .map((file) => parse(readFileSync(join(root, file), 'utf8'), { merge: true }) as unknown)
    .reduce((base, override) => merge(base, override)) as ComposeFile;
}

function merge(base: unknown, override: unknown, key = ''): unknown {
  if (Array.isArray(base) && Array.isArray(override) && !REPLACED.has(key))
    return [...new Set([...(base as unknown[]), ...(override as unknown[])])];
  if (!isMapping(base) || !isMapping(override)) return override;
  const merged = { ...base };
  for (const [name, value] of Object.entries(override))
    merged[name] = name in base ? merge(base[name], value, name) : value;
  return merged;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
