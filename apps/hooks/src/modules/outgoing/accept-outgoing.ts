import { type NodeRun, readOutgoingHook, timestampOfId } from '@cds/hooks-store';
import type { Task } from '@cds/wire';
import type { Resources } from '../../resources';

export type ExecuteOutgoing = ReturnType<typeof createExecuteOutgoing>;

/**
 * Stores a call of an outgoing hook. When it resolves, the execution is in Redis. A call that comes
 * again gets the same answer, and is executed once.
 */
export function createExecuteOutgoing(
  resources: Pick<Resources, 'logger' | 'now' | 'queues' | 'stores'>,
) {
  const { logger, now, queues } = resources;
  const store = resources.stores.outgoing;

  /** @throws CdsError 400, 413 */
  return async function executeOutgoing(run: NodeRun): Promise<Task> {
    const hook = readOutgoingHook(run);
    const { uuid, type, config, request } = hook;
    const { isNew, id, stopped } = await store.accept(hook, now());
    if (!isNew) logger.info({ hook: uuid, run: hook.hookRun }, 'outgoing hook is a duplicate');
    if (!stopped) void queues.resume(uuid);
    void store.forgetUnused(now()).catch((error: unknown) => {
      logger.debug({ error }, 'failed to remove unused outgoing hooks');
    });
    return {
      uuid,
      type,
      config,
      stopped,
      executions: [
        {
          uuid,
          type,
          timestamp: timestampOfId(id),
          nb_errors: 0,
          processing_timestamp: 0,
          workflow_run: 0,
          config,
          ...(type === 'OutgoingWebhook' ? { webhook: request } : {}),
          status: 'SCHEDULED',
        },
      ],
      nb_executions_total: 0,
      nb_executions_todo: 0,
    };
  };
}
