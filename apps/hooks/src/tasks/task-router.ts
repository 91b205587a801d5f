import { createRouter, handle, readJson } from '@cds/service';
import type { Task } from '@cds/wire';
import type { Request, Router } from 'express';
import type { ExecuteOutgoing } from '../outgoing/execute-outgoing';
import { nodeRunSchema } from '../outgoing/outgoing-hook';
import { answeredByRedis } from '../redis-deadline';
import { nodeHookSchema, nodeHooksSchema, uuidsSchema } from './node-hook';
import { parseTaskSort, sortTasks } from './sort-tasks';
import type { TaskService } from './task-service';

/** Routes that touch every task may take longer than one that touches one. */
const ALL_TASKS_MS = 30_000;

function param(request: Request, name: 'uuid' | 'timestamp'): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

/** The routes under `/task`. Every one of them is safe to repeat: the API calls the next replica after any error. */
export function createTaskRouter(deps: {
  service: TaskService;
  executeOutgoing: ExecuteOutgoing;
}): Router {
  const { service, executeOutgoing } = deps;
  const router = createRouter();
  // Express would take HEAD for GET, which starts and stops tasks here.
  router.use((request, _response, next) => next(request.method === 'HEAD' ? 'router' : undefined));

  /** One task or execution: bounded as all that waits for Redis is. */
  const one = (work: (request: Request) => Promise<unknown>) =>
    handle((request) => answeredByRedis(() => work(request)));
  const all = (work: (request: Request) => Promise<unknown>) =>
    handle((request) => answeredByRedis(() => work(request), ALL_TASKS_MS));

  router.post(
    '/task/bulk',
    all((request) => service.putHooks(readJson(request, nodeHooksSchema))),
  );
  router.delete(
    '/task/bulk',
    all((request) => service.removeTasks(Object.keys(readJson(request, uuidsSchema)))),
  );
  router.get(
    '/task/bulk/start',
    all(() => service.setAllStopped(false)),
  );
  router.get(
    '/task/bulk/stop',
    all(() => service.setAllStopped(true)),
  );
  router.post(
    '/task/execute',
    one((request) => executeOutgoing(readJson(request, nodeRunSchema))),
  );

  router.get(
    '/task',
    all((request) => listTasks(service, request)),
  );
  router.post(
    '/task',
    one(async (request) => {
      const hook = readJson(request, nodeHookSchema);
      await service.putHooks({ [hook.uuid]: hook });
    }),
  );

  router.get(
    '/task/:uuid',
    one((request) => service.task(param(request, 'uuid'))),
  );
  router.put(
    '/task/:uuid',
    one((request) => {
      const isEmpty = !Buffer.isBuffer(request.body) || request.body.length === 0;
      const hook = isEmpty ? undefined : readJson(request, nodeHookSchema);
      return service.replaceTask(param(request, 'uuid'), hook);
    }),
  );
  router.delete(
    '/task/:uuid',
    one((request) => service.removeTask(param(request, 'uuid'))),
  );
  router.get(
    '/task/:uuid/start',
    one((request) => service.setStopped(param(request, 'uuid'), false)),
  );
  router.get(
    '/task/:uuid/stop',
    one((request) => service.setStopped(param(request, 'uuid'), true)),
  );
  router.get(
    '/task/:uuid/execution',
    one((request) => service.taskWithExecutions(param(request, 'uuid'))),
  );
  router.delete(
    '/task/:uuid/execution',
    one((request) => service.removeExecutions(param(request, 'uuid'))),
  );
  router.get(
    '/task/:uuid/execution/:timestamp',
    one((request) => service.execution(param(request, 'uuid'), param(request, 'timestamp'))),
  );
  router.post(
    '/task/:uuid/execution/:timestamp/stop',
    one((request) => service.stopExecution(param(request, 'uuid'), param(request, 'timestamp'))),
  );
  return router;
}

async function listTasks(service: TaskService, request: Request): Promise<Task[]> {
  const sorts = parseTaskSort(request.query.sort);
  const tasks: Task[] = [];
  for await (const some of service.allTasks()) tasks.push(...some);
  return sorts.length > 0 ? sortTasks(tasks, sorts) : tasks;
}
