import { ApiRefusal } from './api-refusal';
import type { RegisteredService, VcsLink } from './model';
import type { ProjectStore } from './project-store';
import { ServiceCallError, type ServiceCaller } from './service-caller';
import type { ServiceRegistry } from './service-registry';

/** Calls a route below `/vcs/{server}` with the project's tokens and returns the body of the answer. */
export type VcsCall = (method: string, path: string, body?: unknown) => Promise<unknown>;

export interface VcsCalls {
  /** @throws ApiRefusal 404 when the project is not linked; ServiceCallError when `vcs` refuses. */
  ofProject(key: string, server: string): VcsCall;
  /** What a restart of the API does. */
  forgetClients(): void;
}

/**
 * The API's client of `vcs`. A new access token in the answer replaces the stored one, with the time of its
 * arrival; of a new refresh token the API never hears.
 *
 * A client is made at the first call for a project and a server, and calls the `vcs` services of
 * that moment, with their URLs and hashes, until the API is restarted
 * (https://github.com/ovh/cds/blob/0.41.0/engine/api/repositoriesmanager/repositories_manager.go).
 */
export function createVcsCalls(deps: {
  projects: ProjectStore;
  caller: ServiceCaller;
  registry: Pick<ServiceRegistry, 'ofType'>;
}): VcsCalls {
  const clients = new Map<string, RegisteredService[]>();

  function servicesOf(key: string, server: string): RegisteredService[] {
    const id = JSON.stringify([key, server]);
    const services = clients.get(id) ?? deps.registry.ofType('vcs').map((one) => ({ ...one }));
    clients.set(id, services);
    return services;
  }

  return {
    forgetClients: () => clients.clear(),
    ofProject(key, server) {
      return async (method, path, body) => {
        const link = deps.projects.project(key).links.get(server);
        if (!link) throw new ApiRefusal('notFound', `${key} is not linked to ${server}`);
        try {
          const answer = await deps.caller.call('vcs', {
            method,
            path: `/vcs/${server}${path}`,
            link,
            services: servicesOf(key, server),
            ...(body === undefined ? {} : { body }),
          });
          keepNewToken(link, answer.headers['x-cds-access-token']);
          return answer.body;
        } catch (error) {
          // The API goes by the status alone.
          if (error instanceof ServiceCallError && error.answer?.status === 401)
            throw new ApiRefusal('grantRefused', error.message);
          throw error;
        }
      };
    },
  };
}

function keepNewToken(link: VcsLink, header: string | string[] | undefined): void {
  if (typeof header !== 'string' || header === '') return;
  link.accessToken = header;
  link.created = Math.floor(Date.now() / 1_000);
}
