import { CDS_VERSION_OF_TODAY, type RemoteOptions } from '@cds/config';
import { showHidden } from '@cds/wire';
import { Command, CommanderError } from 'commander';
import { buildInfo } from './build-info';
import { CommandError, EXIT_FAILED, EXIT_USAGE } from './command-error';
import { checkConfig } from './commands/config-check';
import { doctor, type DoctorOptions } from './commands/doctor';
import { newConfig, type NewConfigOptions } from './commands/config-new';
import { startServices } from './commands/start';
import { adoptState } from './commands/adopt-state';
import { showWebhook } from './commands/vcs-webhook';
import { showVersion } from './commands/version';
import { type ConfigOption, configOption } from './config-option';
import type { Context } from './context';
import { addRemoteOptions } from './remote-config';
import { addHooksCommands } from './hooks-commands';

/** Texts of others (branches, answers, messages) move no cursor and turn no text around. */
function harmless(context: Context): Context {
  return {
    ...context,
    out: (text) => context.out(showHidden(text)),
    say: (sentence) => context.say(showHidden(sentence)),
  };
}

/** Runs one command. Returns the exit code: 0, 1 for a failure, 2 for wrong arguments. */
export async function runProgram(args: readonly string[], process: Context): Promise<number> {
  const context = harmless(process);
  let exitCode = 0;
  const program = createProgram(context, (code) => (exitCode = code));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (error instanceof CommandError) {
      context.say(`error: ${error.message}`);
      return error.exitCode;
    }
    context.say(`error: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_FAILED;
  }
}

function createProgram(context: Context, endWith: (exitCode: number) => void): Command {
  const { version, commit } = buildInfo();
  const program = new Command('engine')
    .description('The vcs and hooks services of CDS for Bitbucket Cloud.')
    .version(`${version} (commit ${commit})`)
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: (text) => context.say(text.trimEnd()) })
    .showSuggestionAfterError();

  const config = program.command('config').description('print and check configuration files');
  config
    .command('new')
    .argument('[services...]', 'vcs, hooks, api; all when none is named, and with api alone')
    .option('--env', 'print environment variables instead of TOML')
    .option(
      '--cds <version>',
      `the version of CDS (default: that of its own engine where one is found, else ${CDS_VERSION_OF_TODAY})`,
    )
    .description('print a configuration with every key, its default and what it does')
    .action(async (services: string[], o: NewConfigOptions) => newConfig(services, o, context));
  config
    .command('check')
    .argument('[files...]', 'configuration file (TOML), or several that belong together')
    .option('--env', 'let the environment override the files, as start does')
    .description('say everything that is wrong with a configuration')
    .action((files: string[], o: { env?: true }) => endWith(checkConfig(files, o, context)));

  program
    .command('start')
    .argument('[services...]', 'vcs, hooks, api; those in CDS_SERVICE when none is named')
    .addOption(configOption())
    .description('start services; `api` starts the binary of CDS itself')
    .addHelpText(
      'after',
      '\nDefaults come first, then the files (what stands in a later one counts), then Vault and Consul, then the environment (CDS_VCS_API_TOKEN, …).\nThe binary of CDS is the one named by CDS_ENGINE, or cds-engine or engine on PATH.',
    )
    .action(async (services: string[], o: ConfigOption & RemoteOptions) =>
      endWith(await startServices(services, o, context)),
    );

  program
    .command('doctor')
    .addOption(configOption())
    .option('--repository <workspace/repository>', 'check the webhooks of this repository, too')
    .option('--json', 'print a JSON array')
    .description(
      'check everything between the files and a working system, with what to do; it changes nothing',
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 where nothing fails, 1 where something does, 2 when called in the wrong way.\nThe environment counts as for start.',
    )
    .action(async (o: DoctorOptions) => endWith(await doctor(o, context)));

  const vcs = program.command('vcs').description('help with the vcs service');
  vcs
    .command('webhook')
    .argument('<uuid>', 'uuid of the webhook in CDS')
    .addOption(configOption())
    .description(
      'print URL, events and secret of a webhook that has to be added at Bitbucket by hand',
    )
    .action(async (uuid: string, o: ConfigOption) => showWebhook(uuid, o, context));
  vcs
    .command('adopt')
    .addOption(configOption())
    .description(
      'say that what is in Redis is the state of this CDS, and of no other: after a move that vcs cannot tell from a second CDS',
    )
    .action(async (o: ConfigOption) => adoptState('vcs', o, context));

  addHooksCommands(program, context);

  program
    .command('version')
    .description('print version, commit and Node version')
    .action(() => showVersion(context));
  addRemoteOptions(program, context);
  return program;
}
