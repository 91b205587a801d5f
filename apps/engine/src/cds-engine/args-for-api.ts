import { readConfigFiles, type RemoteDocument } from '@cds/config';
import { parse } from 'smol-toml';
import { CommandError, usageError } from '../command-error';

/**
 * The arguments that name the configuration to CDS's own engine, which reads one file, or Vault, or
 * Consul: of several the one with `[api]`.
 * @throws CommandError when none of them, or more than one, has that section
 */
export function argsForApi(
  files: readonly string[],
  documents: readonly RemoteDocument[] = [],
): readonly string[] {
  const sources = [
    ...files.map((file) => ({
      text: () => readConfigFiles([file])[0]?.text ?? '',
      args: ['--config', file],
    })),
    ...documents.map(({ text, argsOfCds }) => ({ text: () => text, args: argsOfCds })),
  ];
  const withApi = sources.length < 2 ? sources : sources.filter(({ text }) => hasApi(text()));
  const [only] = withApi;
  if (sources.length > 0 && (withApi.length !== 1 || !only))
    throw usageError(
      `${withApi.length === 0 ? 'none' : 'more than one'} of the configuration files has a ` +
        "section [api], and CDS's own engine reads one file alone: put [api] into one of " +
        'them.',
    );
  if (only && !only.args)
    throw new CommandError(
      "CDS's own engine reads version 1 of Vault's KV engine alone: put the configuration " +
        'of api into a file, or enable `-version=1` at secret/.',
    );
  return only?.args ?? [];
}

function hasApi(text: string): boolean {
  try {
    return Object.keys(parse(text)).some((key) => key.toLowerCase() === 'api');
  } catch {
    return false;
  }
}
