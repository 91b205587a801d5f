import * as z from 'zod';
import type { BbRepository, BbWorkspace } from '../model';
import { boundedArray, href, text } from './text';

const cloneLinks = boundedArray(z.object({ name: text, href: text })).catch([]);

export const repositorySchema = z
  .object({
    uuid: text,
    name: text,
    full_name: z.string().regex(/^[^/]+\/[^/]+$/),
    mainbranch: z.object({ name: z.string() }).optional().catch(undefined),
    links: z.object({ html: href, clone: cloneLinks }).catch({ html: '', clone: [] }),
  })
  .transform((body): BbRepository => {
    const slug = body.full_name.slice(body.full_name.indexOf('/') + 1);
    return {
      uuid: body.uuid,
      name: body.name || slug,
      slug,
      fullName: body.full_name,
      htmlUrl: body.links.html,
      cloneHttps: cloneUrl(body.links.clone, 'https'),
      cloneSsh: cloneUrl(body.links.clone, 'ssh'),
      mainBranch: body.mainbranch?.name,
    };
  });

/** The order of `clone` is not fixed: https and ssh are distinguished by name. */
function cloneUrl(links: { name: string; href: string }[], name: string): string {
  return links.find((link) => link.name === name)?.href ?? '';
}

/** For `fields=` of a list. */
export const REPOSITORY_FIELDS = 'uuid,name,full_name,mainbranch.name,links.html.href,links.clone';

/** One value of `/user/workspaces`: the workspace is inside, without a name. */
export const workspaceAccessSchema = z
  .object({ workspace: z.object({ slug: z.string().min(1), uuid: text }) })
  .transform((access): BbWorkspace => access.workspace);
