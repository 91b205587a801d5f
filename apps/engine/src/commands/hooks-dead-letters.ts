import {
  type AllMoved,
  createDeadLetterPreview,
  createDeadLetters,
  type DeadLetter,
  type DeadLetterPreview,
  isCleanupId,
  type Moved,
  shortTime,
} from '@cds/hooks-store';
import type { Redis } from 'ioredis';
import { checkCanConfirm, confirm, type ConfirmedOptions, printResult } from '../command-options';
import { CommandError, usageError } from '../command-error';
import type { Context } from '../context';
import { checkLimit, checkTimestamp, checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';
import { type Columns, formatTable } from '../print';
import { type ListOptions, printRows, sayNewest } from './hooks-lists';

export interface MoveOptions extends ConfirmedOptions {
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
    return {
      found: await deadLetters.list({ uuid, offset: 0, limit }),
      total: await deadLetters.count(uuid),
    };
  });
  printRows(found, { json: o.json, none: 'There are no dead letters.', columns: COLUMNS }, context);
  sayNewest(found.length, total, context);
}

const COLUMNS: Columns<DeadLetter> = {
  UUID: ({ uuid }) => uuid,
  TIMESTAMP: ({ timestamp }) => timestamp,
  KIND: ({ kind }) => kind,
  'FAILED AT': (letter) => shortTime(letter.failed_at),
  WORKFLOW: ({ project, workflow }) => `${project}/${workflow}`,
  REPOSITORY: ({ repository }) => repository,
  'BRANCH OR TAG': ({ branch }) => branch ?? '',
  'REQUEST ID': (letter) => letter.request_id,
  ERRORS: (letter) => letter.nb_errors,
  'LAST ERROR': (letter) => letter.last_error,
};

const WORDS = {
  retry: {
    about: 'retry --all sends all dead letters again',
    question: (what: string) => `Send ${what} again?`,
    done: 'Sent again',
    next: ': hooks takes it up within seconds, after what waits there already',
  },
  drop: {
    about: 'drop removes dead letters for good',
    question: (what: string) => `Remove ${what} for good?`,
    done: 'Dropped',
    next: '',
  },
};
/** Printed by a dry run; all are counted. */
const MAX_SHOWN = 100;

/** `engine hooks dead-letters retry|drop UUID TIMESTAMP`, or `--all [UUID]` */
export async function moveDeadLetters(
  verb: keyof typeof WORDS,
  uuid: string | undefined,
  timestamp: string | undefined,
  o: MoveOptions,
  context: Context,
): Promise<void> {
  const one = whichOne(verb, uuid, timestamp, o);
  const { about, question, done, next } = WORDS[verb];
  const asks = verb === 'drop' || !one;
  if (asks) checkCanConfirm(o, context, about);
  await withServiceRedis('hooks', o.config, context, async (redis) => {
    if (o.dryRun) return printPreview(verb, await preview(redis, uuid, one), o, context);
    if (asks && !o.yes) {
      const found = await preview(redis, uuid, one);
      if (found.executions + found.cleanups > 0) await confirm(o, context, question(kinds(found)));
    }
    const deadLetters = createDeadLetters({ redis });
    if (one) {
      checkMoved(await deadLetters[verb](one.uuid, one.id));
      const fields = { ...countOf(one.uuid), more: false };
      return printResult(o, context, { sentence: `${done}${next}.`, fields });
    }
    const all = await deadLetters[`${verb}All`]({ uuid, until: Date.now() + ALL_MS });
    const more = all.more ? '; there are more: call it again.' : '.';
    printResult(o, context, { sentence: `${done}: ${kinds(all)}${more}`, fields: all });
  });
}

async function preview(
  redis: Redis,
  uuid: string | undefined,
  one?: { uuid: string; id: string },
): Promise<DeadLetterPreview> {
  const dryRun = createDeadLetterPreview({ redis });
  if (!one) return dryRun.all({ uuid, limit: MAX_SHOWN });
  const { result, letters } = await dryRun.one(one.uuid, one.id);
  checkMoved(result);
  return { ...countOf(one.uuid), letters };
}

function countOf(uuid: string): Pick<AllMoved, 'executions' | 'cleanups'> {
  const isCleanup = isCleanupId(uuid);
  return { executions: isCleanup ? 0 : 1, cleanups: isCleanup ? 1 : 0 };
}

function printPreview(
  verb: keyof typeof WORDS,
  { letters, ...counts }: DeadLetterPreview,
  o: MoveOptions,
  context: Context,
): void {
  const what = verb === 'retry' ? 'be sent again' : 'be removed for good';
  printResult(o, context, {
    sentence:
      `${letters.length === 0 ? '' : `${formatTable(COLUMNS, letters)}\n`}This would ` +
      `${what}, and nothing was written: ${kinds(counts)}.`,
    fields: { ...counts, dead_letters: letters },
  });
  const total = counts.executions + counts.cleanups;
  if (total > letters.length) context.say(`These are ${letters.length} of ${total}.`);
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

function checkMoved(result: Moved): void {
  if (result === 'unknown')
    throw new CommandError(
      'there is no execution of this uuid and timestamp: see engine hooks dead-letters list.',
    );
  if (result === 'not-dead')
    throw new CommandError(
      'this execution is no dead letter, or no longer: it waits or has ended. To send any ' +
        'execution that has ended again: engine hooks replay UUID TIMESTAMP.',
    );
}

function kinds({ executions, cleanups }: Pick<AllMoved, 'executions' | 'cleanups'>): string {
  return `${executions} execution${executions === 1 ? '' : 's'}, ${cleanups} cleanup${cleanups === 1 ? '' : 's'}`;
}
