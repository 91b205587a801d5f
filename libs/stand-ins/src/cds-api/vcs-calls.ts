import { ApiRefusal } from './api-refusal';
import type { VcsCall, VcsCredential } from './credentials/credential';
import type { Generation } from './generations/generation';
import type { RegisteredService } from './model';
import type { ProjectStore } from './project-store';
import { ServiceCallError, type ServiceCaller } from './service-caller';
import type { ServiceRegistry } from './service-registry';

export interface VcsCalls {
  /** @throws ApiRefusal 404 when the project is not linked; ServiceCallError when `vcs` refuses. */
  ofProject(key: string, server: string): VcsCall;
  /** What the project shows to the server. @throws ApiRefusal 404 when it has nothing to show */
  credentialOf(key: string, server: string): VcsCredential;
  /** What a restart of the API does. */
  forgetClients(): void;
}

/**
 * The API's client of `vcs`. That of 0.40 to 0.43 is made at the first call for a project and a
 * server, and calls the `vcs` services of that moment, with their URLs and hashes, until the API is
 * restarted
 * (https://github.com/ovh/cds/blob/0.41.0/engine/api/repositoriesmanager/repositories_manager.go).
 */
export function createVcsCalls(deps: {
  generation: Pick<Generation, 'cds' | 'credentials' | 'keepsVcsClients'>;
  projects: ProjectStore;
  caller: ServiceCaller;
  registry: Pick<ServiceRegistry, 'ofType'>;
}): VcsCalls {
  const { generation } = deps;
  const clients = new Map<string, RegisteredService[]>();

  function servicesOf(key: string, server: string): RegisteredService[] | undefined {
    if (!generation.keepsVcsClients) return undefined;
    const id = JSON.stringify([key, server]);
    const services = clients.get(id) ?? deps.registry.ofType('vcs').map((one) => ({ ...one }));
    clients.set(id, services);
    return services;
  }

  function credentialOf(key: string, server: string): VcsCredential {
    const project = deps.projects.project(key);
    for (const kind of generation.credentials) {
      const credential = kind.of(project, server);
      if (credential) return credential;
    }
    throw new ApiRefusal('notFound', `${key} is not linked to ${server}`);
  }

  return {
    forgetClients: () => clients.clear(),
    credentialOf,
    ofProject(key, server) {
      return async (method, path, body) => {
        const credential = credentialOf(key, server);
        try {
          const answer = await deps.caller.call('vcs', {
            method,
            path: `/vcs/${server}${path}`,
            headers: credential.headers(),
            services: servicesOf(key, server),
            ...(body === undefined ? {} : { body }),
          });
          credential.readAnswer(answer.headers);
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
