import {
  createDeadLetters,
  createReplay,
  createResetSignature,
  type DeadLetterRef,
  idOfTimestamp,
  type Moved,
  timestampOfId,
  isCleanupId,
  isTaskUuid,
} from '@cds/hooks-store';
import { CdsError, nanosecondsSchema } from '@cds/wire';
import * as z from 'zod';
import type { ExecutionRef } from '../tasks/task-params';
import type { Resources } from '../resources';

/** Counts of retried or dropped dead letters. */
export const allAnswerSchema = z
  .object({
    executions: z.int(),
    cleanups: z.int(),
    more: z
      .boolean()
      .meta({ description: 'There was not enough time for all: to be called again.' }),
  })
  .meta({ id: 'AllAnswer' });
export type AllAnswer = z.infer<typeof allAnswerSchema>;

export const replayAnswerSchema = z
  .object({
    uuid: z.string(),
    timestamp: nanosecondsSchema.meta({ description: 'Of the new execution, in nanoseconds.' }),
    replay_of: nanosecondsSchema,
    repeated: z.boolean().meta({
      description: 'It had been asked for within the last minute already; this is that one.',
    }),
  })
  .meta({ id: 'ReplayAnswer' });

export const dueAnswerSchema = z
  .object({
    uuid: z.string(),
    date_scheduled_execution: z.string().meta({
      description: 'When the cleanup is to be done: now, or the earlier date that it had.',
    }),
  })
  .meta({ id: 'DueAnswer' });

/** The API waits about a minute for an answer. */
const ALL_MS = 20_000;

export type AdminService = ReturnType<typeof createAdminService>;

export function createAdminService(
  resources: Pick<Resources, 'config' | 'redis' | 'stores' | 'queues' | 'logger' | 'now'>,
) {
  const { redis, stores, queues, logger, now } = resources;
  const deadLetters = createDeadLetters({ redis, keyRepair: stores.keyRepair });
  const replay = createReplay({ redis });
  const resetSignature = createResetSignature({ redis });

  /** A sweep repeats what fails. */
  function resume(refs: Pick<DeadLetterRef, 'kind' | 'uuid'>[]): void {
    if (resources.config.disable) return;
    const hooks = refs.flatMap(({ kind, uuid }) => (kind === 'execution' ? [uuid] : []));
    for (const uuid of new Set(hooks)) void queues.hooks.resume(uuid);
    for (const { kind, uuid } of refs) {
      if (kind === 'cleanup')
        queues.cleanups.enqueueNow(uuid).catch((error: unknown) => {
          logger.debug(
            { error, cleanup: uuid },
            'failed to enqueue a cleanup: the next sweep does',
          );
        });
    }
  }

  return {
    /** Newest first. @param page.uuid of a task, for its own and those of its cleanups */
    list: deadLetters.list,

    /** The number of dead letters, of one task and its cleanups or of all. */
    count: deadLetters.count,

    /** Whether an execution is a dead letter. @throws CdsError 400 */
    isDead: async ({ uuid, timestamp }: ExecutionRef): Promise<boolean> =>
      deadLetters.includes(uuid, idOf(uuid, timestamp)),

    /** Sends one again. @throws CdsError 400, 404, 409 */
    async retry({ uuid, timestamp }: ExecutionRef): Promise<void> {
      const id = idOf(uuid, timestamp);
      checkMoved(await deadLetters.retry(uuid, id));
      logger.info({ uuid, execution: timestamp }, 'dead letter retried');
      resume([{ kind: isCleanupId(uuid) ? 'cleanup' : 'execution', uuid }]);
    },

    async retryAll(uuid?: string): Promise<AllAnswer> {
      const all = await deadLetters.retryAll({ uuid, until: Date.now() + ALL_MS, moved: resume });
      logger.info({ ...all, uuid }, 'all dead letters retried');
      return all;
    },

    /** Removes one for good. @throws CdsError 400, 404, 409 */
    async drop({ uuid, timestamp }: ExecutionRef): Promise<void> {
      checkMoved(await deadLetters.drop(uuid, idOf(uuid, timestamp)));
      logger.info({ uuid, execution: timestamp }, 'dead letter dropped');
    },

    async dropAll(uuid?: string): Promise<AllAnswer> {
      const all = await deadLetters.dropAll({ uuid, until: Date.now() + ALL_MS });
      logger.info({ ...all, uuid }, 'all dead letters dropped');
      return all;
    },

    /** Of an execution that has ended. @throws CdsError 400, 404, 409 */
    async replay({ uuid, timestamp }: ExecutionRef): Promise<z.infer<typeof replayAnswerSchema>> {
      const id = idOf(uuid, timestamp);
      const replayed = await replay(uuid, id, now());
      switch (replayed.kind) {
        case 'unknown':
          throw new CdsError('notFound', { from: 'the task has no execution of this timestamp' });
        case 'waiting':
          throw new CdsError('conflict', {
            from: 'the execution has not ended: it is processed by itself',
          });
        case 'refused':
          throw new CdsError('wrongRequest', { from: `no replay: ${replayed.reason}` });
      }
      logger.info({ uuid, execution: timestamp, replay: replayed.id }, 'execution replayed');
      resume([{ kind: 'execution', uuid }]);
      return {
        uuid,
        timestamp: timestampOfId(replayed.id),
        replay_of: timestampOfId(id),
        repeated: replayed.kind === 'again',
      };
    },

    /** Accepts unsigned deliveries of the task again. Safe to repeat. @throws CdsError 404 */
    async resetSignature(uuid: string): Promise<void> {
      const result = isTaskUuid(uuid) ? await resetSignature(uuid) : 'unknown';
      if (result === 'unknown') {
        throw new CdsError('notFound', { from: 'no task has this uuid: GET /task lists them' });
      }
      logger.info({ hook: uuid, result }, 'signature of a task reset');
    },

    /** Safe to repeat. @throws CdsError 400, 404, 409 */
    async makeDue(uuid: string): Promise<z.infer<typeof dueAnswerSchema>> {
      if (!isCleanupId(uuid)) {
        throw new CdsError('wrongRequest', {
          from:
            'this is no uuid of a cleanup, which has 64 digits: ' +
            'GET /task lists them as BranchDeletion',
        });
      }
      const made = await stores.cleanups.makeDue(uuid, now());
      switch (made.kind) {
        case 'unknown':
          throw new CdsError('notFound', {
            from:
              'no cleanup is pending under this uuid: it was done or cancelled, ' +
              'or never scheduled; GET /task lists them as BranchDeletion',
          });
        case 'stopped':
          throw new CdsError('conflict', {
            from: 'the cleanup is stopped: GET /task/{uuid}/start starts it',
          });
        case 'failed':
          throw new CdsError('conflict', {
            from:
              'the cleanup failed for good or was ended: ' +
              'GET /task/{uuid}/start lets it try again',
          });
      }
      logger.info({ cleanup: uuid }, 'cleanup made due now');
      resume([{ kind: 'cleanup', uuid }]);
      return { uuid, date_scheduled_execution: new Date(made.due).toISOString() };
    },

    /** Pauses the processing for all replicas, or resumes it. Safe to repeat. */
    setMaintenance: (on: boolean): Promise<void> => queues.maintenance.set(on),
  };
}

/** @throws CdsError 400 */
function idOf(uuid: string, timestamp: string): string {
  const id = idOfTimestamp(timestamp);
  if (id !== undefined && isTaskUuid(uuid)) return id;
  throw new CdsError('wrongRequest', {
    from:
      'no execution is called this: the timestamp is a number of nanoseconds that ends in 000, ' +
      'as GET /admin/dead-letters and GET /task/{uuid}/execution show it',
  });
}

/** @throws CdsError 404, 409 */
function checkMoved(result: Moved): void {
  if (result === 'unknown') {
    throw new CdsError('notFound', {
      from: 'no dead letter has this uuid and timestamp: GET /admin/dead-letters lists them',
    });
  }
  if (result === 'not-dead') {
    throw new CdsError('conflict', {
      from:
        'the execution is no dead letter, or no longer: it waits or has ended; ' +
        'POST /admin/task/{uuid}/execution/{timestamp}/replay sends any that has ended again',
    });
  }
}
