import type { BitbucketClient } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { collectPages } from '../http/paginate';
import { routes } from '../routes';
import { workspaceAccessSchema } from '../schemas/workspace';

export function createWorkspaces(http: ApiHttp): Pick<BitbucketClient, 'listWorkspaces'> {
  return {
    listWorkspaces(ctx) {
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
