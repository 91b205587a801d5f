import type { BitbucketClient, BitbucketPart, CallContext } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import { BitbucketError } from '../http/bitbucket-error';
import { collectPages, listBudget, type ListBudget, listQuery } from '../http/paginate';
import { sideBySide } from '../http/side-by-side';
import type { BbRepository, BbWorkspace, RepoRef } from '../model';
import { repoPath, routes } from '../routes';
import { REPOSITORY_FIELDS, repositorySchema, workspaceAccessSchema } from '../schemas/repository';

type RepositoriesClient = Pick<
  BitbucketClient,
  'listWorkspaces' | 'listRepositories' | 'getRepository' | 'listForks'
>;

/**
 * @param part the only part that is listed, where it is known
 * @param isOfUser false for an access token of a workspace or project: it is no member, and sees
 *   its own
 */
export function createRepositories(
  http: ApiHttp,
  part: BitbucketPart | undefined,
  isOfUser: boolean,
): RepositoriesClient {
  async function listWorkspaces(ctx: CallContext): Promise<BbWorkspace[]> {
    if (part) return [{ slug: part.workspace, uuid: '' }];
    const query = new URLSearchParams({ pagelen: '100', sort: 'slug' });
    const bySlug = ({ slug }: BbWorkspace) => slug;
    const call = { path: {}, query, item: workspaceAccessSchema, identity: bySlug };
    return collectPages(http, routes.listWorkspaces, call, ctx);
  }

  function listOfWorkspace(
    slug: string,
    budget: ListBudget,
    ctx: CallContext,
  ): Promise<BbRepository[]> {
    const query = listQuery(100, REPOSITORY_FIELDS, 'created_on');
    if (isOfUser) query.set('role', 'member');
    if (part?.project !== undefined) query.set('q', `project.key="${part.project}"`);
    const call = { path: { workspace: slug }, query, item: repositorySchema, identity, budget };
    return collectPages(http, routes.listRepositories, call, ctx);
  }

  /** One workspace that refuses must not hide the repositories of all others. */
  async function listOrSkip(
    workspace: BbWorkspace,
    refusals: BitbucketError[],
    budget: ListBudget,
    ctx: CallContext,
  ): Promise<BbRepository[]> {
    try {
      return await listOfWorkspace(workspace.slug, budget, ctx);
    } catch (error) {
      if (!isRefusedWorkspace(error)) throw error;
      refusals.push(error);
      const { status, bitbucketMessage } = error;
      http.logger?.warn(
        { workspace: workspace.slug, status, bitbucketMessage },
        'workspace refuses to list its repositories: left out',
      );
      return [];
    }
  }

  const getRepository = (repo: RepoRef, ctx: CallContext) =>
    http.read(routes.getRepository, repoPath(repo), repositorySchema, ctx);

  return {
    listWorkspaces,
    getRepository,
    async listRepositories(ctx) {
      if (part?.repository !== undefined) {
        const { workspace, repository: slug } = part;
        return [await getRepository({ workspace, slug }, ctx)];
      }
      const workspaces = await listWorkspaces(ctx);
      const refusals: BitbucketError[] = [];
      const budget = listBudget();
      const lists = await sideBySide(workspaces, ctx, (workspace, inner) =>
        listOrSkip(workspace, refusals, budget, inner),
      );
      // All of them: then it is the grant (a missing scope), and an empty list would hide it.
      if (refusals[0] && refusals.length === workspaces.length) throw refusals[0];
      return lists.flat();
    },
    listForks(repo, ctx) {
      const query = listQuery(100, REPOSITORY_FIELDS, 'created_on');
      const call = { path: repoPath(repo), query, item: repositorySchema, identity };
      return collectPages(http, routes.listForks, call, ctx);
    },
  };
}

function identity({ uuid, fullName }: BbRepository): string {
  return uuid || fullName;
}

/** 410 means a workspace marked as spam, but, with a change number, a removed route. */
function isRefusedWorkspace(error: unknown): error is BitbucketError {
  if (!(error instanceof BitbucketError)) return false;
  if (error.status === 410) return !/CHANGE-\d/.test(error.bitbucketMessage);
  return error.status === 403 || error.status === 404;
}
