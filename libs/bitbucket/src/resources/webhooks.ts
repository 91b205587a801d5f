import type { BitbucketClient } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { BitbucketError } from '../http/bitbucket-error';
import { collectPages } from '../http/paginate';
import type { BbHook, HookSettings } from '../model';
import { repoPath, routes } from '../routes';
import { hookSchema } from '../schemas/hook';

type HooksClient = Pick<BitbucketClient, 'listHooks' | 'createHook' | 'updateHook' | 'deleteHook'>;

export function createWebhooks(http: ApiHttp): HooksClient {
  return {
    listHooks(repo, ctx) {
      const query = new URLSearchParams({ pagelen: '100' });
      const identity = ({ uuid }: BbHook) => uuid;
      const call = { path: repoPath(repo), query, item: hookSchema, identity };
      return collectPages(http, routes.listHooks, call, ctx);
    },
    async createHook(repo, hook, ctx) {
      const call = { path: repoPath(repo), ...withBody(hook) };
      return (await http.call(routes.createHook, call, ctx)).read(hookSchema);
    },
    async updateHook(repo, uuid, hook, ctx) {
      const call = { path: repoPath(repo, { uid: uuid }), ...withBody(hook) };
      return (await http.call(routes.updateHook, call, ctx)).read(hookSchema);
    },
    async deleteHook(repo, uuid, ctx) {
      try {
        await http.call(routes.deleteHook, { path: repoPath(repo, { uid: uuid }) }, ctx);
        return { found: true };
      } catch (error) {
        if (!(error instanceof BitbucketError) || error.status !== 404) throw error;
        return { found: false };
      }
    },
  };
}

/** The whole hook, as Bitbucket's own clients send it. */
function withBody({ url, description, events, active, secret }: HookSettings) {
  return { body: { url, description, events, active, secret }, secrets: [secret] };
}
