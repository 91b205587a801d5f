import { type Router } from '@cds/service';
import { CdsError } from '@cds/wire';
import * as z from 'zod';
import type { ApiVersion } from '../http/api-version';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { repoFromFullName } from '../http/repository-ref';
import { serverParams } from '../http/route-params';
import {
  type BuildEvent,
  buildOfEvent,
  type BuildStatusOptions,
  type CdsEvent,
  eventSchema,
  NODE_RUN_EVENT,
  nodeRunSchema,
} from './build-event';
import type { ReportedBuild } from './reported-build';
import type { SendStatus } from './send-status';
import { buildOfVcsBuildStatus, vcsBuildStatusSchema } from './vcs-build-status';

const bodySchema = z.union([eventSchema, vcsBuildStatusSchema]);

/** `POST /vcs/{name}/status`: makes build statuses of what CDS reports of its builds. */
export function addStatusRoutes(
  router: Router,
  deps: RouteDeps & { sendStatus: SendStatus; apiVersion: ApiVersion; uiUrl: () => string },
): void {
  const { sendStatus, apiVersion, uiUrl } = deps;

  router.post(
    '/vcs/:name/status',
    {
      summary: 'Sends a build status',
      description:
        'CDS 0.54 and later sends the status itself, CDS before that an event. Of these ' +
        `\`${NODE_RUN_EVENT}\`, whose payload is a node run, makes a status; others are ignored.`,
      params: serverParams,
      body: bodySchema,
      answer: 'nothing',
    },
    grantedRoute(deps, 'notFound', async (call, { body }) => {
      const sent = body(call.req);
      const { disable, showDetail } = call.server.config.status;
      if (disable) return;
      const sendSkipped = apiVersion.atLeast(0, 42);
      const build = buildOf(sent, { uiUrl: uiUrl(), showDetail, sendSkipped });
      if (!build || build.hash === '' || build.repository === '') return;
      call.repo = repoFromFullName(build.repository);
      await sendStatus(call, call.repo, build);
    }),
  );
}

function buildOf(
  sent: z.infer<typeof bodySchema>,
  options: BuildStatusOptions,
): ReportedBuild | undefined {
  if (!('type_event' in sent)) return buildOfVcsBuildStatus(sent);
  return sent.type_event === NODE_RUN_EVENT ? buildOfEvent(toBuildEvent(sent), options) : undefined;
}

function toBuildEvent(event: CdsEvent): BuildEvent {
  const node = nodeRunSchema.safeParse(event.payload);
  if (!node.success)
    throw new CdsError('wrongRequest', {
      from: `the payload of the event is no ${NODE_RUN_EVENT}`,
      cause: node.error,
    });
  return { projectKey: event.project_key, workflowName: event.workflow_name, node: node.data };
}
