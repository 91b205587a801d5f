import express, { Router, type RequestHandler } from 'express';
import * as z from 'zod';
import type { Access } from './access';
import { answerErrorAs, answerJson, ApiRefusal } from './api-refusal';
import type { Generation } from './generations/generation';
import type { Scope } from './model';
import type { ProjectStore } from './project-store';
import { callerIn, createRunRoutes, type RunRoutesDeps } from './run-routes';
import { ServiceCallError, type ServiceCaller } from './service-caller';
import type { ServiceRegistry } from './service-registry';

export interface ServiceRoutesDeps extends RunRoutesDeps {
  generation: Generation;
  access: Access;
  registry: ServiceRegistry;
  projects: ProjectStore;
  caller: ServiceCaller;
  version: () => string;
  uiUrl: () => string;
  apiUrl: () => string;
  /** The routes of outgoing hooks. */
  outgoing: Router;
  /** Those that runs know of. */
  outgoingUuids: () => string[];
  /** The route of hooks that poll. */
  vcsEvents: Router;
}

/** What tells an error of CDS from another answer. */
const cdsErrorSchema = z.looseObject({ id: z.int().min(1), message: z.string() });

/** What the API answers to its services. */
export function createServiceRoutes(deps: ServiceRoutesDeps): Router {
  const { access, generation } = deps;
  const router = Router({ strict: true, caseSensitive: true });

  router.get('/mon/version', (_request, response) =>
    answerJson(response, 200, {
      version: deps.version(),
      architecture: 'amd64',
      os: 'linux',
      git_hash: '',
      build_time: '',
      db_migrate: '0',
    }),
  );
  // As those of today answer it to who is not signed in.
  router.get('/mon/status', (_request, response) =>
    answerJson(response, 200, {
      now: new Date().toISOString(),
      lines: [{ status: 'OK', component: 'Global/Maintenance', value: 'false', type: '' }],
    }),
  );
  router.get('/config/user', (_request, response) =>
    answerJson(response, 200, { 'url.ui': deps.uiUrl(), 'url.api': deps.apiUrl() }),
  );

  router.use(express.raw({ type: () => true, limit: '20mb' }));
  router.use(access.entrance);
  router.use((request, response, next) => {
    response.locals['caller'] = access.identify(request);
    next();
  });
  router.use(access.inside);

  router.get('/workflow/hook', hooksAlone('Hooks'), (_request, response) =>
    answerJson(response, 200, deps.projects.hooks()),
  );
  if (generation.hasHookExecutions)
    router.get('/workflow/hook/executions', hooksAlone('Hooks'), (_request, response) =>
      answerJson(response, 200, deps.outgoingUuids()),
    );

  router.get('/project/:key/integrations/:name', hooksAlone('Project'), (request, response) => {
    // Without it CDS hides the passwords: a service could not connect.
    if (request.query['clearPassword'] !== 'true') throw new ApiRefusal('wrongRequest');
    const { key, name } = request.params as Record<'key' | 'name', string>;
    const config = deps.projects.project(key).integrations.get(name);
    if (!config) throw new ApiRefusal('notFound');
    answerJson(response, 200, { id: 1, project_id: 1, name, config });
  });

  /** Answers what a route of `vcs` does. */
  const fromVcs =
    (path: string): RequestHandler =>
    async (_request, response) => {
      // Nobody to ask is no error: the API answers what it would have put the answer into.
      if (deps.registry.ofType('vcs').length === 0) {
        answerJson(response, 200, {});
        return;
      }
      try {
        const { body } = await deps.caller.call('vcs', { method: 'GET', path });
        answerJson(response, 200, body);
      } catch (error) {
        // An error of CDS keeps its status on its way through the API: a 401 is not always the
        // API's own.
        const refused = error instanceof ServiceCallError ? error.answer : undefined;
        if (!cdsErrorSchema.safeParse(refused?.body).success) throw error;
        answerJson(response, refused?.status ?? 500, refused?.body);
      }
    };
  if (generation.hasConfigVcs) router.get('/config/vcs', fromVcs('/vcs'));
  const gerrit: RequestHandler = generation.hasConfigVcs
    ? fromVcs('/vcsgerrit')
    : (_request, response) => answerJson(response, 200, {});
  if (generation.hasConfigVcsGerrit) router.get('/config/vcsgerrit', hooksAlone('Hooks'), gerrit);

  router.use('/project', scoped('Run'));
  router.use(createRunRoutes(deps));
  router.use('/hook', scoped('Run'));
  router.use((_request, response, next) => {
    const { isHooks, mayRead } = callerIn(response);
    if (!isHooks && !mayRead) throw new ApiRefusal('notFound');
    next();
  });
  router.use(deps.outgoing, deps.vcsEvents);

  router.use(() => {
    throw new ApiRefusal('notFound');
  });
  router.use(answerErrorAs(generation.errorBody));
  return router;
}

/** Lets in whose token has the scope: who has another is not authenticated. */
function scoped(scope: Scope): RequestHandler {
  return (_request, response, next) => {
    if (!callerIn(response).hasScope(scope)) throw new ApiRefusal('notAuthenticated');
    next();
  };
}

/** Lets `hooks` in, and nobody else. */
function hooksAlone(scope: Scope): RequestHandler {
  return (_request, response, next) => {
    if (!callerIn(response).hasScope(scope)) throw new ApiRefusal('notAuthenticated');
    if (!callerIn(response).isHooks) throw new ApiRefusal('forbidden');
    next();
  };
}
