import { type AllMoved, createDeadLetters, type DeadLetter, type Moved } from '@cds/hooks-store';
import { CommandError, usageError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { checkTimestamp, checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';
import { checkLimit } from '../list-limit';
import { formatJson } from '../print-json';
import { formatTable } from '../print-table';

export interface ListOptions extends ConfigOption {
  json?: true;
  limit: string;
}

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
  if (o.json) context.out(formatJson(found));
  else context.out(found.length === 0 ? 'There are no dead letters.\n' : table(found));
  if (total > found.length)
    context.say(`These are the ${found.length} newest of ${total}: --limit ${total} shows all.`);
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

/** `engine hooks dead-letters retry UUID TIMESTAMP`, or `--all [UUID]` */
export async function retryDeadLetters(
  uuid: string | undefined,
  timestamp: string | undefined,
  o: MoveOptions,
  context: Context,
): Promise<void> {
  const one = whichOne('retry', uuid, timestamp, o);
  await withServiceRedis('hooks', o.config, context, async (redis) => {
    const deadLetters = createDeadLetters({ redis });
    if (one) {
      judge(await deadLetters.retry(one.uuid, one.id));
      context.out(
        'Sent again: hooks takes it up within seconds, after what waits there already.\n',
      );
      return;
    }
    await deadLetters.adopt();
    const all = await deadLetters.retryAll({ uuid, until: Date.now() + ALL_MS });
    context.out(`Sent again: ${counted(all)}\n`);
  });
}

/** `engine hooks dead-letters drop UUID TIMESTAMP`, or `--all [UUID]` */
export async function dropDeadLetters(
  uuid: string | undefined,
  timestamp: string | undefined,
  o: MoveOptions,
  context: Context,
): Promise<void> {
  const one = whichOne('drop', uuid, timestamp, o);
  await withServiceRedis('hooks', o.config, context, async (redis) => {
    const deadLetters = createDeadLetters({ redis });
    if (one) {
      judge(await deadLetters.drop(one.uuid, one.id));
      context.out('Dropped.\n');
      return;
    }
    await deadLetters.adopt();
    const all = await deadLetters.dropAll({ uuid, until: Date.now() + ALL_MS });
    context.out(`Dropped: ${counted(all)}\n`);
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
