import {
  timestampOfId,
  type Clock,
  type NodeRun,
  readOutgoingHook,
  type OutgoingStore,
} from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { Task } from '@cds/wire';

export interface ExecuteOutgoingDeps {
  store: OutgoingStore;
  /** Called for a hook that has something to do now. */
  workArrived: (uuid: string) => void;
  logger: Logger;
  now: Clock;
}

export type ExecuteOutgoing = ReturnType<typeof createExecuteOutgoing>;

/**
 * Takes the run of an outgoing hook in. When it returns, the run is in Redis and will be executed whatever happens next;
 * a run that comes again is answered like the first time, and executed once.
 */
export function createExecuteOutgoing(deps: ExecuteOutgoingDeps) {
  const { store, workArrived, logger, now } = deps;

  /** @throws CdsError 400, 413 */
  return async function executeOutgoing(run: NodeRun): Promise<Task> {
    const hook = readOutgoingHook(run);
    const { uuid, type, config, request } = hook;
    const { isNew, id, stopped } = await store.accept(hook, now());
    if (!isNew) logger.info({ hook: uuid, run: hook.hookRun }, 'an outgoing hook was sent again');
    if (!stopped) workArrived(uuid);
    void store.forgetUnused(now()).catch((error: unknown) => {
      logger.debug({ error }, 'unused outgoing hooks stay until the next one');
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
