import { type AllMoved, createDeadLetters, type DeadLetter, type Moved } from '@cds/hooks-store';
import { CommandError, usageError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { checkLimit, checkTimestamp, checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';
import { formatTable } from '../print-table';
import { type ListOptions, printRows, sayNewest } from './hooks-lists';

export interface MoveOptions extends ConfigOption {
  all?: true;
}

/** After this the rest is left to another call. */
const ALL_MS = 10 * 60_000;

/** `engine hooks dead-letters list [UUID]` */
export async function listDeadLetters(
  uuid: string | undefined,
  o: ListOptions,
  context: Context,
): Promise<void> {
  if (uuid !== undefined) checkUuid(uuid);
  const limit = checkLimit(o.limit);
  const { found, total } = await withServiceRedis('hooks', o.config, context, async (redis) => {
    const deadLetters = createDeadLetters({ redis });
    await deadLetters.adopt();
    return {
      found: await deadLetters.list({ uuid, offset: 0, limit }),
      total: await deadLetters.count(uuid),
    };
  });
  printRows(found, { json: o.json, none: 'There are no dead letters.', table }, context);
  sayNewest(found.length, total, context);
}

function table(letters: DeadLetter[]): string {
  return formatTable(
    [
      ...['UUID', 'TIMESTAMP', 'KIND', 'FAILED AT', 'WORKFLOW', 'REPOSITORY', 'BRANCH OR TAG'],
      ...['REQUEST ID', 'ERRORS', 'LAST ERROR'],
    ],
    letters.map((letter) => [
      letter.uuid,
      String(letter.timestamp),
      letter.kind,
      letter.failed_at.replace(/\.\d+Z$/, 'Z'),
      `${letter.project}/${letter.workflow}`,
      letter.repository,
      letter.branch ?? '',
      letter.request_id,
      String(letter.nb_errors),
      letter.last_error,
    ]),
  );
}

const DONE = {
  retry: ['Sent again', ': hooks takes it up within seconds, after what waits there already'],
  drop: ['Dropped', ''],
} as const;

/** `engine hooks dead-letters retry|drop UUID TIMESTAMP`, or `--all [UUID]` */
export async function moveDeadLetters(
  verb: keyof typeof DONE,
  uuid: string | undefined,
  timestamp: string | undefined,
  o: MoveOptions,
  context: Context,
): Promise<void> {
  const one = whichOne(verb, uuid, timestamp, o);
  const [done, next] = DONE[verb];
  await withServiceRedis('hooks', o.config, context, async (redis) => {
    const deadLetters = createDeadLetters({ redis });
    if (one) {
      judge(await deadLetters[verb](one.uuid, one.id));
      context.out(`${done}${next}.\n`);
      return;
    }
    await deadLetters.adopt();
    const all = await deadLetters[`${verb}All`]({ uuid, until: Date.now() + ALL_MS });
    context.out(`${done}: ${counted(all)}\n`);
  });
}

/** Undefined stands for all. @throws CommandError when it is not clear which are meant */
function whichOne(
  verb: string,
  uuid: string | undefined,
  timestamp: string | undefined,
  { all }: MoveOptions,
): { uuid: string; id: string } | undefined {
  if (uuid !== undefined) checkUuid(uuid);
  if (all && timestamp === undefined) return undefined;
  if (!all && uuid !== undefined && timestamp !== undefined)
    return { uuid, id: checkTimestamp(timestamp) };
  throw usageError(
    `name one dead letter (${verb} UUID TIMESTAMP) or all of them (${verb} --all, ${verb} --all UUID).`,
  );
}

function judge(result: Moved): void {
  if (result === 'unknown')
    throw new CommandError(
      'there is no execution of this uuid and timestamp: see engine hooks dead-letters list.',
    );
  if (result === 'not-dead')
    throw new CommandError(
      'this execution is no dead letter, or no longer: it waits or has ended. To send any execution that has ended again: engine hooks replay UUID TIMESTAMP.',
    );
}

function counted({ executions, cleanups, more }: AllMoved): string {
  const kinds = `${executions} execution${executions === 1 ? '' : 's'}, ${cleanups} cleanup${cleanups === 1 ? '' : 's'}`;
  return more ? `${kinds}; there are more: call it again.` : `${kinds}.`;
}
