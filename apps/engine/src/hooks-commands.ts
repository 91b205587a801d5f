import type { Command } from 'commander';
import {
  type ActionOptions,
  addActionOptions,
  configOption,
  type ConfirmedOptions,
} from './command-options';
import { listDeadLetters, moveDeadLetters, type MoveOptions } from './commands/hooks-dead-letters';
import { adoptState } from './commands/adopt-state';
import { importHooks, type ImportOptions } from './commands/hooks-import';
import { acknowledgeLostDeliveries } from './commands/hooks-lost-deliveries';
import { replayExecution } from './commands/hooks-replay';
import { resetSignature } from './commands/hooks-signature';
import { whyNoRun, type WhyOptions } from './commands/hooks-why';
import {
  type ListOptions,
  printCleanups,
  printExecutions,
  printTasks,
  type TaskListOptions,
} from './commands/hooks-lists';
import type { Context } from './context';

const hooksConfig = () =>
  configOption('configuration file (TOML) of hooks; the environment when not given');
const action = (above: Command, name: string, { asks = false } = {}) =>
  addActionOptions(above.command(name), { asks, config: hooksConfig() });
const listOf = (group: Command) =>
  group
    .command('list')
    .addOption(hooksConfig())
    .option('--json', 'print a JSON array')
    .option('--limit <number>', 'how many to print', '100');
const UUID = 'uuid of the task in CDS; of a cleanup its own';
const TIMESTAMP = 'timestamp of the execution (nanoseconds)';

/** Adds `engine hooks …`: commands on the Redis of hooks, whether hooks runs or not. */
export function addHooksCommands(program: Command, context: Context): void {
  const hooks = program.command('hooks').description('help with the hooks service');

  const deadLetters = hooks
    .command('dead-letters')
    .description('executions and branch cleanups that failed for good');
  listOf(deadLetters)
    .argument('[uuid]', 'only those of this task and of its cleanups')
    .description('list them, the newest first')
    .action(async (uuid: string | undefined, o: ListOptions) => listDeadLetters(uuid, o, context));
  const moves = {
    retry: 'send them again: only what failed of them is asked for again',
    drop: 'remove them for good',
  };
  for (const verb of ['retry', 'drop'] as const)
    addActionOptions(deadLetters.command(verb).option('--all', 'all of them, or all of one task'), {
      asks: true,
      config: hooksConfig(),
    })
      .argument('[uuid]', UUID)
      .argument('[timestamp]', TIMESTAMP)
      .description(moves[verb])
      .action(async (uuid: string | undefined, timestamp: string | undefined, o: MoveOptions) =>
        moveDeadLetters(verb, uuid, timestamp, o, context),
      );

  addLists(hooks, context);

  hooks
    .command('why')
    .argument(
      '<target>',
      'uuid of the task in CDS, URL of its webhook, workspace/repository, or its address at Bitbucket',
    )
    .addOption(hooksConfig())
    .option('--branch <name>', 'only pushes of this branch or tag')
    .option('--json', 'print a JSON object')
    .option('--limit <number>', 'how many pushes of each hook to print', '10')
    .description(
      'say what became of pushes: received, refused, waiting, retried, run, and the status at Bitbucket',
    )
    .action(async (target: string, o: WhyOptions) => whyNoRun(target, o, context));

  action(hooks, 'replay')
    .argument('<uuid>', 'uuid of the task in CDS')
    .argument('<timestamp>', TIMESTAMP)
    .description(
      'send any execution that has ended again, as a new one: every run of it is asked for again',
    )
    .action(async (uuid: string, timestamp: string, o: ActionOptions) =>
      replayExecution(uuid, timestamp, o, context),
    );

  const signature = hooks
    .command('signature')
    .description('what hooks knows about the signatures of deliveries');
  action(signature, 'reset', { asks: true })
    .argument('<uuid>', 'uuid of the task in CDS')
    .description(
      'take unsigned deliveries of a task again that was signed before (signature = "auto")',
    )
    .action(async (uuid: string, o: ConfirmedOptions) => resetSignature(uuid, o, context));

  const lost = hooks
    .command('lost-deliveries')
    .description('accepted deliveries that vanished from Redis');
  action(lost, 'acknowledge', { asks: true })
    .description('say how many were lost and since when, and set their count back to 0')
    .action(async (o: ConfirmedOptions) => acknowledgeLostDeliveries(o, context));

  action(hooks, 'adopt', { asks: true })
    .description(
      'say that what is in Redis is the state of this CDS, and of no other: after a move ' +
        'that hooks cannot tell from a second CDS',
    )
    .action(async (o: ConfirmedOptions) => adoptState('hooks', o, context));

  action(hooks, 'import')
    .option('--from <redis>', "Redis of CDS's own hooks; that of the configuration when not given")
    .description(
      "take over the tasks, pending deliveries and branch deletions of CDS's own hooks; its keys are left as they are",
    )
    .addHelpText(
      'after',
      '\nCDS_IMPORT_REDIS_PASSWORD: the password of the Redis that --from names.',
    )
    .action(async (o: ImportOptions) => importHooks(o, context));
}

/** Lists with the uuids and timestamps that other commands take. */
function addLists(hooks: Command, context: Context): void {
  listOf(hooks.command('tasks').description('hooks of workflows, as hooks keeps them'))
    .option('--workflow <project/name>', 'only those of this workflow')
    .description('list tasks, with how many executions wait')
    .action(async (o: TaskListOptions) => printTasks(o, context));
  listOf(hooks.command('executions').description('what a task received or was due for'))
    .argument('<uuid>', 'uuid of the task in CDS')
    .description('list the executions of a task, the newest first')
    .action(async (uuid: string, o: ListOptions) => printExecutions(uuid, o, context));
  listOf(hooks.command('cleanups').description('removals of the runs of deleted branches'))
    .description('list them: those that wait by their date, then stopped and failed ones')
    .action(async (o: ListOptions) => printCleanups(o, context));
}
