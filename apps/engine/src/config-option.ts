import { Option } from 'commander';

/** `--config FILE`, which may be given more than once: all files together are the configuration. */
export function configOption(description = 'configuration file (TOML)'): Option {
  return new Option('--config <file>', `${description}; may be given more than once`).argParser(
    (file: string, before: string[] | undefined) => [...(before ?? []), file],
  );
}

/** The value of {@link configOption}. */
export interface ConfigOption {
  config?: string[];
}
