import { createUiUrl, type Monitoring } from '@cds/service';
import { isConsumerToken } from '@cds/wire';
import type { Resources } from '../../resources';
import type { StateOfRoutes } from '../../state/guard-routes';
import type { HandleTasks } from '../../tasks/task-handlers';
import type { TaskService } from '../../tasks/task-service';
import type { AdminService } from '../admin-service';
import { createUi } from './ui-router';

/** The page for operators; undefined where the configuration has no password for it. */
export function createOperatorPages(
  resources: Resources,
  deps: {
    admin: AdminService;
    tasks: TaskService;
    handleTasks: Pick<HandleTasks, 'nextRun'>;
    monitoring: Pick<Monitoring, 'status'>;
    state: StateOfRoutes;
  },
) {
  const { config, api, registration, queues, redis, now, logger } = resources;
  if (!config.ui) return undefined;
  const { password, cdsUrl } = config.ui;
  // An API before CDS 0.44 does not know the address of its UI.
  const configured = isConsumerToken(config.api.token) ? cdsUrl : (cdsUrl ?? '');
  const uiUrl = createUiUrl({ configured, api, logger });
  registration.onHeartbeat(() => void uiUrl.refresh());
  return createUi({
    ...{ redis, now, logger, password },
    service: config.name,
    ...{ admin: deps.admin, tasks: deps.tasks, state: deps.state },
    nextRun: deps.handleTasks.nextRun,
    monitoring: deps.monitoring.status,
    isMaintained: queues.maintenance.isOn,
    disabled: config.disable,
    uiUrl: uiUrl.get,
  });
}
