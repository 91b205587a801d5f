import { readConfigFiles } from '@cds/config';
import { parse } from 'smol-toml';
import { usageError } from '../command-error';

/**
 * The configuration file for CDS's own engine, which reads one: of several the one with `[api]`.
 * @throws CommandError when none of them, or more than one, has that section
 */
export function fileOfApi(files: readonly string[]): string | undefined {
  if (files.length < 2) return files[0];
  const withApi = files.filter((file) => readConfigFiles([file]).some(({ text }) => hasApi(text)));
  if (withApi.length === 1) return withApi[0];
  throw usageError(
    `${withApi.length === 0 ? 'none' : 'more than one'} of the configuration files has a section [api], and CDS's own engine reads one file alone: put [api] into one of them.`,
  );
}

function hasApi(text: string): boolean {
  try {
    return Object.keys(parse(text)).some((key) => key.toLowerCase() === 'api');
  } catch {
    return false;
  }
}
