import { createRouter, handle, sendJsonList, type Router } from '@cds/service';
import { taskExecutionSchema, taskSchema } from '@cds/wire';
import type { Request, RequestHandler } from 'express';
import * as z from 'zod';
import type { ExecuteOutgoing } from '../modules/outgoing/accept-outgoing';
import { nodeRunSchema } from '@cds/hooks-store';
import { answeredByRedis, redisBudget } from '@cds/redis';
import { answeredHooksSchema, nodeHookSchema, nodeHooksSchema, uuidsSchema } from './node-hook';
import { parseTaskSort, sortQuery } from './sort-tasks';
import { ofExecution, ofTask, REDIS_AWAY } from './task-params';
import type { TaskService } from './task-service';

/** For routes that touch all tasks. */
const ALL_TASKS_MS = 30_000;

/** Express handles HEAD like GET, which starts and stops tasks here. */
const noHead: RequestHandler = (request, _response, next) =>
  next(request.method === 'HEAD' ? 'router' : undefined);

const one = (work: (request: Request) => Promise<unknown>, ms?: number) =>
  handle((request) => answeredByRedis(() => work(request), ms));
const all = (work: (request: Request) => Promise<unknown>) => one(work, ALL_TASKS_MS);

/** Every route is safe to repeat: the API calls the next replica after any error. */
export function createTaskRouter(deps: {
  service: TaskService;
  executeOutgoing: ExecuteOutgoing;
}): Router {
  const { service, executeOutgoing } = deps;
  const router = createRouter();
  router.use(noHead);

  router.post(
    '/task/bulk',
    {
      ...{ summary: 'Adds or changes hooks', body: nodeHooksSchema, answer: answeredHooksSchema },
      description:
        'All, or none when one is of an unknown kind. The answer is the body, the `webHookURL` ' +
        'of each hook filled in.',
      errors: REDIS_AWAY,
    },
    ({ body }) => all((request) => service.putHooks(body(request))),
  );
  router.delete(
    '/task/bulk',
    {
      ...{ summary: 'Removes tasks', body: uuidsSchema, answer: 'nothing' },
      description: 'By the keys of the body. Unknown ones are no error.',
      errors: REDIS_AWAY,
    },
    ({ body }) => all((request) => service.removeTasks(Object.keys(body(request)))),
  );
  router.get(
    '/task/bulk/start',
    { summary: 'Starts all tasks', answer: 'nothing', errors: REDIS_AWAY },
    () => all(() => service.setAllStopped(false)),
  );
  router.get(
    '/task/bulk/stop',
    { summary: 'Stops all tasks', answer: 'nothing', errors: REDIS_AWAY },
    () => all(() => service.setAllStopped(true)),
  );
  router.post(
    '/task/execute',
    {
      ...{ summary: 'Runs an outgoing hook', body: nodeRunSchema, answer: taskSchema },
      errors: REDIS_AWAY,
      description:
        'Kept before it is answered. A run that comes again is answered alike and executed once.',
    },
    ({ body }) => one((request) => executeOutgoing(body(request))),
  );

  router.get(
    '/task',
    {
      ...{ summary: 'Lists all tasks', query: sortQuery, answer: z.array(taskSchema) },
      description: 'Scheduled removals of the runs of deleted branches are tasks, too.',
      errors: REDIS_AWAY,
    },
    ({ query }) =>
      handle((request, response) => {
        const sorts = parseTaskSort(query(request).sort);
        return sendJsonList(response, answered(service.listTasks(sorts)));
      }),
  );
  router.post(
    '/task',
    {
      ...{ summary: 'Adds or changes a hook', body: nodeHookSchema, answer: 'nothing' },
      errors: REDIS_AWAY,
    },
    ({ body }) =>
      one(async (request) => {
        const hook = body(request);
        await service.putHooks({ [hook.uuid]: hook });
      }),
  );

  router.get(
    '/task/:uuid',
    {
      ...{ summary: 'One task', ...ofTask, answer: taskSchema },
      description: 'Without counts and executions.',
    },
    ({ params }) => one((request) => service.task(params(request).uuid)),
  );
  router.put(
    '/task/:uuid',
    {
      ...{ summary: 'Changes and starts a task', ...ofTask, body: nodeHookSchema },
      description: 'Without a body it is only started.',
      ...{ bodyOptional: true, answer: 'nothing' },
    },
    ({ params, body }) =>
      one((request) => {
        const isEmpty = !Buffer.isBuffer(request.body) || request.body.length === 0;
        const hook = isEmpty ? undefined : body(request);
        return service.replaceTask(params(request).uuid, hook);
      }),
  );
  router.delete(
    '/task/:uuid',
    { summary: 'Removes a task', ...ofTask, answer: 'nothing' },
    ({ params }) => one((request) => service.removeTask(params(request).uuid)),
  );
  router.get(
    '/task/:uuid/start',
    {
      ...{ summary: 'Starts a task', ...ofTask, answer: 'nothing' },
      errors: [...ofTask.errors, 'notImplemented'],
      description: '501 for a kind of hook that is not served, with the reason.',
    },
    ({ params }) => one((request) => service.setStopped(params(request).uuid, false)),
  );
  router.get(
    '/task/:uuid/stop',
    { summary: 'Stops a task', ...ofTask, answer: 'nothing' },
    ({ params }) => one((request) => service.setStopped(params(request).uuid, true)),
  );
  addExecutionRoutes(router, service);
  return router;
}

function addExecutionRoutes(router: Router, service: TaskService): void {
  router.get(
    '/task/:uuid/execution',
    {
      ...{ summary: 'A task with its executions', ...ofTask, answer: taskSchema },
      description: 'Newest first: the history, the oldest that wait, the newest dead letters.',
    },
    ({ params }) => one((request) => service.taskWithExecutions(params(request).uuid)),
  );
  router.delete(
    '/task/:uuid/execution',
    {
      ...{ summary: 'Removes the executions of a task', ...ofTask, answer: taskSchema },
      description: 'Those that wait, too.',
    },
    ({ params }) => one((request) => service.removeExecutions(params(request).uuid)),
  );
  router.get(
    '/task/:uuid/execution/:timestamp',
    { summary: 'One execution', ...ofExecution, answer: taskExecutionSchema },
    ({ params }) => one((request) => service.execution(params(request))),
  );
  router.post(
    '/task/:uuid/execution/:timestamp/stop',
    {
      ...{ summary: 'Ends an execution that waits', ...ofExecution, answer: 'nothing' },
      description: 'One that has ended stays as it is.',
    },
    ({ params }) => one((request) => service.stopExecution(params(request))),
  );
}

/** Bounds the time for Redis over all parts; the time that the caller takes to read is free. */
async function* answered<T>(parts: AsyncGenerator<T>): AsyncGenerator<T> {
  const budget = redisBudget(ALL_TASKS_MS);
  try {
    for (;;) {
      const next = await budget(parts.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: it ends after pending answers of Redis.
    void parts.return(undefined).catch(() => undefined);
  }
}
