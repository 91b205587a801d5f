import { CDS_VERSION_OF_TODAY, type RemoteOptions } from '@cds/config';
import { showHidden } from '@cds/wire';
import { Command, CommanderError, Option } from 'commander';
import {
  addActionOptions,
  type ConfigOption,
  configOption,
  type ConfirmedOptions,
} from './command-options';
import { CommandError, EXIT_FAILED, EXIT_USAGE, reasonOf } from './command-error';
import { checkConfig, type CheckOptions } from './commands/config-check';
import { doctor, type DoctorOptions } from './commands/doctor';
import { CONFIG_FORMATS, newConfig, type NewConfigOptions } from './commands/config-new';
import { startServices } from './commands/start';
import { adoptState } from './commands/adopt-state';
import { showWebhook, type WebhookOptions } from './commands/vcs-webhook';
import { buildInfo, showVersion } from './commands/version';
import { addCompletion } from './completion/completion-command';
import type { Context } from './context';
import { addRemoteOptions } from './remote-config';
import { addHooksCommands } from './hooks-commands';
import { servicesArgument } from './service-names';

/** Texts of others (branches, answers, messages) move no cursor and turn no text around. */
function harmless(context: Context): Context {
  return {
    ...context,
    ask: context.ask && ((question) => context.ask?.(showHidden(question)) ?? Promise.resolve('')),
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
    context.say(`error: ${reasonOf(error)}`);
    return EXIT_FAILED;
  }
}

/** In the operator guide, too. */
const EXIT_CODES =
  'Exit codes: 0 it is done; 1 it failed, or a check did; 2 called in the wrong way, ' +
  'nothing was done.\n`start` of one service ends with its code; 78: change the ' +
  'configuration before you start it again.';

const DOCTOR_HELP = `
It looks at files and who may read them; at Redis, the rights of its user (from Redis 7.0 on) and
the state; at the CDS API, Bitbucket and grants (one is tried, none renewed); at DNS, certificate
and answer of urlPublic and proxyWebhook; at the webhooks of --repository; and at clocks (five
seconds).
A line begins with ✔ (fine), ! (may fail tomorrow), ✘ (fails) or – (not known). --json prints
{id, subject, status, message, fix} of each, without secrets; status is ok, warning, failed or
skipped.
The environment counts as for start.`;

/** The command and all that is below it. @param endWith called with an exit code other than 0 */
export function createProgram(context: Context, endWith: (exitCode: number) => void): Command {
  const { version, commit } = buildInfo();
  const program = new Command('engine')
    .description('The vcs and hooks services of CDS for Bitbucket Cloud.')
    .version(`${version} (commit ${commit})`)
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: (text) => context.say(text.trimEnd()) })
    .showSuggestionAfterError()
    .addHelpText('afterAll', `\n${EXIT_CODES}`);

  const config = program.command('config').description('print and check configuration files');
  config
    .command('new')
    .addArgument(servicesArgument('vcs, hooks, api; all when none is named, and with api alone'))
    .addOption(
      new Option(
        '--format <format>',
        'toml, env (variables for a shell) or env-file (for docker --env-file and EnvironmentFile= of systemd)',
      )
        .choices(CONFIG_FORMATS)
        .default('toml'),
    )
    .addOption(
      new Option('--env', 'the same as --format env')
        .implies({ format: 'env' })
        .conflicts('envFile'),
    )
    // Node.js takes it for itself unless it is the last argument:
    // https://github.com/nodejs/node/issues/54232
    .addOption(new Option('--env-file').implies({ format: 'env-file' }).hideHelp())
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
    .option('--json', 'print a JSON array of what is wrong')
    .description('say everything that is wrong with a configuration')
    .action((files: string[], o: CheckOptions) => endWith(checkConfig(files, o, context)));

  program
    .command('start')
    .addArgument(servicesArgument('vcs, hooks, api; those in CDS_SERVICE when none is named'))
    .addOption(configOption())
    .description('start services; `api` starts the binary of CDS itself')
    .addHelpText(
      'after',
      '\nDefaults come first, then the files (what stands in a later one counts), then ' +
        'Vault and Consul, then the environment (CDS_VCS_API_TOKEN, …).\nThe binary of CDS ' +
        'is the one named by CDS_ENGINE, or cds-engine or engine on PATH.',
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
    .addHelpText('after', DOCTOR_HELP)
    .action(async (o: DoctorOptions) => endWith(await doctor(o, context)));

  const vcs = program.command('vcs').description('help with the vcs service');
  vcs
    .command('webhook')
    .argument('<uuid>', 'uuid of the webhook in CDS')
    .addOption(configOption())
    .option('--json', 'print a JSON array')
    .description(
      'print URL, events and secret of a webhook that has to be added at Bitbucket by hand',
    )
    .action(async (uuid: string, o: WebhookOptions) => showWebhook(uuid, o, context));
  addActionOptions(vcs.command('adopt'), { asks: true })
    .description(
      'say that what is in Redis is the state of this CDS, and of no other: after a move ' +
        'that vcs cannot tell from a second CDS',
    )
    .action(async (o: ConfirmedOptions) => adoptState('vcs', o, context));

  addHooksCommands(program, context);

  program
    .command('version')
    .option('--json', 'print a JSON object')
    .description('print version, commit and Node version')
    .action((o: { json?: true }) => showVersion(o, context));
  addCompletion(program, context);
  addRemoteOptions(program, context);
  return program;
}
