import type { BitbucketClient, BitbucketPart } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { collectPages } from '../http/paginate';
import { routes } from '../routes';
import { workspaceAccessSchema } from '../schemas/workspace';

/** @param part the only workspace, where it is known: nothing is asked then */
export function createWorkspaces(
  http: ApiHttp,
  part: BitbucketPart | undefined,
): Pick<BitbucketClient, 'listWorkspaces'> {
  return {
    async listWorkspaces(ctx) {
      if (part) return [{ slug: part.workspace, uuid: '' }];
      const query = new URLSearchParams({ pagelen: '100', sort: 'slug' });
      return collectPages(
        http,
        routes.listWorkspaces,
        { path: {}, query, item: workspaceAccessSchema, identity: ({ slug }) => slug },
        ctx,
      );
    },
  };
}
