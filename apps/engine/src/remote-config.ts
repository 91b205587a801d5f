import {
  readRemoteConfig,
  REMOTE_OPTIONS,
  RemoteConfigError,
  type RemoteOptions,
} from '@cds/config';
import { type Command, Option } from 'commander';
import { CommandError } from './command-error';
import type { Context } from './context';

/** Adds the options of Vault and Consul to every command that reads a configuration. */
export function addRemoteOptions(command: Command, context: Context): void {
  command.commands.forEach((each) => addRemoteOptions(each, context));
  if (!readsConfig(command)) return;
  for (const [name, , description] of REMOTE_OPTIONS)
    command.addOption(new Option(`--${name} <value>`, description));
  command.hook('preAction', async () => {
    const { config } = command.opts<{ config?: string[] }>();
    const files = [...(config ?? []), ...(isCheck(command) ? command.args : [])];
    context.documents = await read(command.opts(), files.length > 0, context);
  });
}

/** The arguments and the environment by which a service reads the same again. */
export function remoteForService(o: RemoteOptions): { args: string[]; env: NodeJS.ProcessEnv } {
  const args = REMOTE_OPTIONS.filter(([name]) => name !== 'vault-token').flatMap(
    ([name, property]) => (o[property] === undefined ? [] : [`--${name}`, o[property]]),
  );
  // Arguments are seen by everybody on the machine.
  return { args, env: o.vaultToken ? { VAULT_TOKEN: o.vaultToken, VAULT_TOKEN_FILE: '' } : {} };
}

function readsConfig(command: Command): boolean {
  return isCheck(command) || command.options.some(({ long }) => long === '--config');
}

function isCheck(command: Command): boolean {
  return command.name() === 'check' && command.parent?.name() === 'config';
}

async function read(options: RemoteOptions, hasFiles: boolean, context: Context) {
  try {
    return await readRemoteConfig({ options, hasFiles, env: context.env, onRetry: context.say });
  } catch (error) {
    if (error instanceof RemoteConfigError) throw new CommandError(`${error.message}.`);
    throw error;
  }
}
