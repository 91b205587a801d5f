import { ApiRefusal } from './api-refusal';
import type { VcsLink } from './model';
import type { ProjectStore } from './project-store';
import { ServiceCallError, type ServiceCaller } from './service-caller';

/** Calls a route below `/vcs/{server}` with the project's tokens and returns the body of the answer. */
export type VcsCall = (method: string, path: string, body?: unknown) => Promise<unknown>;

export interface VcsCalls {
  /** @throws ApiRefusal 404 when the project is not linked; ServiceCallError when `vcs` refuses. */
  ofProject(key: string, server: string): VcsCall;
}

/**
 * The API's client of `vcs`. A new access token in the answer replaces the stored one, with the time of its
 * arrival; of a new refresh token the API never hears.
 */
export function createVcsCalls(deps: { projects: ProjectStore; caller: ServiceCaller }): VcsCalls {
  return {
    ofProject(key, server) {
      return async (method, path, body) => {
        const link = deps.projects.project(key).links.get(server);
        if (!link) throw new ApiRefusal('notFound', `${key} is not linked to ${server}`);
        try {
          const answer = await deps.caller.call('vcs', {
            method,
            path: `/vcs/${server}${path}`,
            link,
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
