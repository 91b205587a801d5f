import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parse } from 'smol-toml';
import { cdsEngineEnv } from './find-cds-engine';

/** What CDS's own engine prints for its API. */
export interface ApiConfig {
  text: string;
  /** The shared.infra token that it made. */
  token: string | undefined;
  /** Whether it holds `[log]`, which must not be there twice. */
  hasLog: boolean;
}

/** Runs `BINARY config new api`. `reason` is a sentence that says why it is of no use. */
export async function printApiConfig(
  binary: string,
  o: { asEnv: boolean; env: NodeJS.ProcessEnv },
): Promise<ApiConfig | { reason: string }> {
  const args = ['config', 'new', 'api', ...(o.asEnv ? ['--env'] : [])];
  try {
    const { stdout } = await promisify(execFile)(binary, args, {
      env: cdsEngineEnv(o.env),
      timeout: 30_000,
      maxBuffer: 4 * 1024 * 1024,
    });
    return o.asEnv ? readVariables(stdout) : readToml(stdout);
  } catch (error) {
    const { code } = error as { code?: string | number | null };
    const why = code === undefined || code === null ? 'did not end well' : `failed (${code})`;
    // The error's message quotes the output, which holds the token.
    return { reason: `\`${binary} ${args.join(' ')}\` ${why}. Run it by hand to see why.` };
  }
}

function readToml(text: string): ApiConfig | { reason: string } {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    return { reason: 'what the engine of CDS printed is not TOML.' };
  }
  const token = child(child(child(document, 'api'), 'auth'), 'sharedInfraToken');
  return {
    text,
    token: typeof token === 'string' && token !== '' ? token : undefined,
    hasLog: child(document, 'log') !== undefined,
  };
}

function readVariables(text: string): ApiConfig {
  const token = /^export CDS_API_AUTH_SHAREDINFRATOKEN="([^"]+)"$/m.exec(text)?.[1];
  return { text, token, hasLog: /^export CDS_LOG_/m.test(text) };
}

/** A key of a table, without regard to case. */
function child(table: unknown, name: string): unknown {
  if (typeof table !== 'object' || table === null) return undefined;
  return Object.entries(table).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}
