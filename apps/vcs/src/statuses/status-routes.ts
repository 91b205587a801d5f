import { type Router } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { ApiVersion } from '../http/api-version';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { repoFromFullName } from '../http/repository-ref';
import { serverParams } from '../http/route-params';
import { eventSchema, NODE_RUN_EVENT, nodeRunSchema, type BuildEvent } from './build-event';
import { buildStatus } from './build-status';
import type { SendStatus } from './send-status';

/** `POST /vcs/{name}/status`: makes build statuses of CDS's events about runs of workflow nodes. */
export function addStatusRoutes(
  router: Router,
  deps: RouteDeps & { sendStatus: SendStatus; apiVersion: ApiVersion; uiUrl: string },
): void {
  const { sendStatus, apiVersion, uiUrl } = deps;

  router.post(
    '/vcs/:name/status',
    {
      summary: 'Sends a build status',
      description: `Of \`${NODE_RUN_EVENT}\`, whose payload is a node run; other events are accepted and ignored.`,
      params: serverParams,
      body: eventSchema,
      answer: 'nothing',
    },
    ({ body }) =>
      grantedRoute(deps, 'notFound', async (call) => {
        const event = body(call.req);
        const { disable, showDetail } = call.server.config.status;
        if (disable || event.type_event !== NODE_RUN_EVENT) return;
        const build = toBuildEvent(event);
        const { Hash: hash, RepositoryFullName: repository } = build.node;
        if (hash === '' || repository === '') return;
        const sendSkipped = apiVersion.atLeast(0, 42);
        const status = buildStatus(build, { uiUrl, showDetail, sendSkipped });
        if (!status) return;
        call.repository = repoFromFullName(repository);
        await sendStatus(call, call.repository, build, status);
      }),
  );
}

function toBuildEvent(event: ReturnType<typeof eventSchema.parse>): BuildEvent {
  const node = nodeRunSchema.safeParse(event.payload);
  if (!node.success)
    throw new CdsError('wrongRequest', {
      from: `the payload of the event is no ${NODE_RUN_EVENT}`,
      cause: node.error,
    });
  return { projectKey: event.project_key, workflowName: event.workflow_name, node: node.data };
}
