import { createRouter, handle } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Request, Router } from 'express';
import { z } from 'zod';
import { answeredByRedis } from '../redis-deadline';
import { isTaskUuid } from '@cds/hooks-store';
import type { AdminService } from './admin-service';

/** Longer than the service takes for all dead letters before it says that there are more. */
const ALL_MS = 30_000;

const uuid = z.string().refine(isTaskUuid, { message: 'is no uuid of a task' });
const count = (most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'is no whole number')
    .transform(Number)
    .refine((value) => value <= most, { message: `is more than ${most}` });

const pageQuery = z.strictObject({
  uuid: uuid.optional(),
  offset: count(100_000_000).default(0),
  limit: count(1_000)
    .refine((limit) => limit > 0, { message: 'is 0' })
    .default(100),
});
const allQuery = z.strictObject({ uuid: uuid.optional() });

/**
 * The routes under `/admin`, for operators: `cdsctl` reaches them through the API's `/admin/services/call`. They ask
 * for X_AUTH_HEADER, as those of tasks, and are as safe to repeat.
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
    all((request) => service.list(readQuery(request, pageQuery))),
  );
  router.post(
    '/admin/dead-letters/retry',
    all((request) => service.retryAll(readQuery(request, allQuery).uuid)),
  );
  router.delete(
    '/admin/dead-letters',
    all((request) => service.dropAll(readQuery(request, allQuery).uuid)),
  );
  router.post(
    '/admin/dead-letters/:uuid/:timestamp/retry',
    one((request) => service.retry(param(request, 'uuid'), param(request, 'timestamp'))),
  );
  router.delete(
    '/admin/dead-letters/:uuid/:timestamp',
    one((request) => service.drop(param(request, 'uuid'), param(request, 'timestamp'))),
  );
  router.post(
    '/admin/task/:uuid/execution/:timestamp/replay',
    one((request) => service.replay(param(request, 'uuid'), param(request, 'timestamp'))),
  );
  router.post(
    '/admin/task/:uuid/due',
    one((request) => service.makeDue(param(request, 'uuid'))),
  );
  router.delete(
    '/admin/task/:uuid/signature',
    one((request) => service.resetSignature(param(request, 'uuid'))),
  );
  return router;
}

function param(request: Request, name: 'uuid' | 'timestamp'): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

/** @throws CdsError 400 naming what is wrong and what there is */
function readQuery<T>(request: Request, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse({ ...request.query });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.join('.') ?? '';
  throw new CdsError('wrongRequest', {
    from: `the query ${name ? `${name} ` : ''}${issue?.message ?? 'cannot be read'}: it takes uuid and, for a list, offset and limit (1 to 1000)`,
  });
}
