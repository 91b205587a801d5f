import { deadLetterSchema, TASK_UUID } from '@cds/hooks-store';
import { createRouter, handle, type Router } from '@cds/service';
import type { Request } from 'express';
import * as z from 'zod';
import { answeredByRedis } from '@cds/redis';
import { ofExecution, ofTask, REDIS_AWAY } from '../tasks/task-params';
import {
  type AdminService,
  allAnswerSchema,
  dueAnswerSchema,
  replayAnswerSchema,
} from './admin-service';

/** Longer than the service works on all dead letters before it answers with `more`. */
const ALL_MS = 30_000;

const uuid = z
  .string()
  .regex(TASK_UUID, 'is no uuid of a task')
  .meta({ description: 'Only those of this task and of its cleanups.' });
const count = (most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'is no whole number')
    .transform(Number)
    .refine((value) => value <= most, { message: `is more than ${most}` });

const pageQuery = z.strictObject({
  uuid: uuid.optional(),
  offset: count(100_000_000)
    .default(0)
    .meta({ description: 'How many to leave out; 0 when not given.' }),
  limit: count(1_000)
    .refine((limit) => limit > 0, { message: 'is 0: it takes 1 to 1000' })
    .default(100)
    .meta({ description: 'How many to list, 1 to 1000; 100 when not given.' }),
});
const allQuery = z.strictObject({ uuid: uuid.optional() });

const maintenanceQuery = z.strictObject({
  enable: z.enum(['true', 'false'], { error: 'is neither true nor false' }),
});

const ofOne = { ...ofExecution, errors: [...ofExecution.errors, 'conflict'] } as const;

/**
 * For operators: `cdsctl` calls these routes through the API's `/admin/services/call`. They require
 * X_AUTH_HEADER and are safe to repeat.
 */
export function createAdminRouter(deps: { service: AdminService }): Router {
  const { service } = deps;
  const router = createRouter();
  const one = (work: (request: Request) => Promise<unknown>) =>
    handle((request) => answeredByRedis(() => work(request)));
  const all = (work: (request: Request) => Promise<unknown>) =>
    handle((request) => answeredByRedis(() => work(request), ALL_MS));

  router.get(
    '/admin/dead-letters',
    {
      ...{ summary: 'Lists dead letters', query: pageQuery, answer: z.array(deadLetterSchema) },
      description: 'Executions and cleanups that failed for good, newest first.',
      errors: REDIS_AWAY,
    },
    ({ query }) => all((request) => service.list(query(request))),
  );
  router.post(
    '/admin/dead-letters/retry',
    {
      ...{ summary: 'Sends all dead letters again', query: allQuery, answer: allAnswerSchema },
      errors: REDIS_AWAY,
    },
    ({ query }) => all((request) => service.retryAll(query(request).uuid)),
  );
  router.delete(
    '/admin/dead-letters',
    {
      ...{ summary: 'Drops all dead letters', query: allQuery, answer: allAnswerSchema },
      errors: REDIS_AWAY,
    },
    ({ query }) => all((request) => service.dropAll(query(request).uuid)),
  );
  router.post(
    '/admin/dead-letters/:uuid/:timestamp/retry',
    { summary: 'Sends a dead letter again', ...ofOne, answer: 'nothing' },
    ({ params }) => one((request) => service.retry(params(request))),
  );
  router.delete(
    '/admin/dead-letters/:uuid/:timestamp',
    { summary: 'Drops a dead letter', ...ofOne, answer: 'nothing' },
    ({ params }) => one((request) => service.drop(params(request))),
  );
  router.post(
    '/admin/task/:uuid/execution/:timestamp/replay',
    {
      ...{ summary: 'Replays an execution', ...ofOne, answer: replayAnswerSchema },
      description: 'Any that has ended, as a new one.',
    },
    ({ params }) => one((request) => service.replay(params(request))),
  );
  router.post(
    '/admin/task/:uuid/due',
    {
      ...{ summary: 'Makes a pending cleanup due now', ...ofTask, answer: dueAnswerSchema },
      errors: [...ofTask.errors, 'conflict'],
      description: 'Of a deleted branch. One that is due already stays as it is.',
    },
    ({ params }) => one((request) => service.makeDue(params(request).uuid)),
  );
  router.delete(
    '/admin/task/:uuid/signature',
    {
      ...{ summary: 'Takes unsigned deliveries again', ...ofTask, answer: 'nothing' },
      description: 'Of a task of which a delivery was signed before.',
    },
    ({ params }) => one((request) => service.resetSignature(params(request).uuid)),
  );
  router.post(
    '/admin/maintenance',
    {
      ...{ summary: 'Pauses or resumes the processing', query: maintenanceQuery },
      ...{ answer: 'nothing', errors: REDIS_AWAY },
      description:
        'For all replicas, and over restarts, while CDS is maintained. ' +
        'Deliveries are accepted and wait.',
    },
    ({ query }) => one((request) => service.setMaintenance(query(request).enable === 'true')),
  );
  return router;
}
