import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CDS_VERSION_OF_TODAY, knownCdsVersion } from '@cds/config';
import { cdsEngineEnv } from './find-cds-engine';
import { readPrintedConfig, type PrintedConfig } from './printed-config';

/** What CDS's own engine prints for its API. */
export interface ApiConfig {
  /** Without the sections of our services. */
  text: string;
  /** The version of CDS, `0.57`. */
  cds: string;
  /** Names and tokens that it gave our services, by path: `vcs.api.token`. */
  values: Readonly<Record<string, string>>;
  /** Whether it holds `[log]`, which must not be there twice. */
  hasLog: boolean;
}

export interface Binary {
  path: string;
  asEnv: boolean;
  env: NodeJS.ProcessEnv;
}

/** The last version of CDS without consumers. */
const LAST_WITH_SHARED_TOKEN = '0.43';
const SHARED_TOKEN = 'api.auth.sharedInfraToken';
const TOKENS = ['vcs.api.token', 'hooks.api.token'];
const OF_CONSUMERS = [...TOKENS, 'vcs.name', 'hooks.name'];

/**
 * Runs `BINARY config new api`, and from CDS 0.44 on `BINARY config new api hooks vcs`, which makes
 * the consumers of both. `reason` is a sentence that says why it is of no use.
 */
export async function printApiConfig(binary: Binary): Promise<ApiConfig | { reason: string }> {
  const version = await versionOf(binary);
  const alone = await printedBy(binary, ['api']);
  if ('reason' in alone) return alone;
  const shared = alone.valueOf(SHARED_TOKEN);
  if (shared !== undefined)
    return {
      text: alone.text,
      cds: version ?? LAST_WITH_SHARED_TOKEN,
      values: shared === '' ? {} : Object.fromEntries(TOKENS.map((path) => [path, shared])),
      hasLog: alone.hasLog,
    };
  const all = await printedBy(binary, ['api', 'hooks', 'vcs']);
  if ('reason' in all) return all;
  const values = OF_CONSUMERS.map((path) => [path, all.valueOf(path) ?? ''] as const);
  const text = all.without(['hooks', 'vcs']);
  if (text === undefined || values.some(([, value]) => value === ''))
    return {
      reason: `what \`${binary.path} config new\` printed has neither a shared.infra token nor the tokens of the services.`,
    };
  const cds = version ?? CDS_VERSION_OF_TODAY;
  return { text, cds, values: Object.fromEntries(values), hasLog: all.hasLog };
}

/** What `BINARY version` says; undefined for a version that is not known, and for a snapshot. */
async function versionOf(binary: Binary): Promise<string | undefined> {
  const text = await run(binary, ['version']).catch(() => '');
  const version = /\bversion:\s*(v?\d+\.\d+)/i.exec(text)?.[1];
  return version && knownCdsVersion(version);
}

async function run({ path, env }: Binary, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(path, args, {
    env: cdsEngineEnv(env),
    timeout: 30_000,
    maxBuffer: 4 * 1024 * 1024,
  });
  return stdout;
}

async function printedBy(
  binary: Binary,
  services: readonly string[],
): Promise<PrintedConfig | { reason: string }> {
  const { path, asEnv } = binary;
  const args = ['config', 'new', ...services, ...(asEnv ? ['--env'] : [])];
  try {
    return readPrintedConfig(await run(binary, args), { asEnv });
  } catch (error) {
    const { code } = error as { code?: string | number | null };
    const why = code === undefined || code === null ? 'did not end well' : `failed (${code})`;
    // The error's message quotes the output, which holds the token.
    return { reason: `\`${path} ${args.join(' ')}\` ${why}. Run it by hand to see why.` };
  }
}
