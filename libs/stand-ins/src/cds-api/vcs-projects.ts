import * as z from 'zod';
import { ApiRefusal } from './api-refusal';
import { VCS_PROJECT } from './credentials/vcs-project';
import type { Generation } from './generations/generation';
import type { VcsProject } from './model';
import type { ProjectStore } from './project-store';
import type { VcsCalls } from './vcs-calls';

/** What stands in the file of `cdsctl project vcs import`. */
export const vcsProjectSchema = z.strictObject({
  project: z.string().min(1),
  name: z.string().min(1).optional(),
  type: z.string().min(1).default('bitbucketcloud'),
  url: z.string().default('https://bitbucket.org'),
  urlApi: z.string().default(''),
  /** An e-mail for an API token, `x-token-auth` for an access token. */
  username: z.string(),
  token: z.string(),
  options: z
    .strictObject({
      disableStatus: z.boolean().optional(),
      disableStatusDetails: z.boolean().optional(),
      disableWebhooks: z.boolean().optional(),
    })
    .default({}),
});
export type NewVcsProject = z.input<typeof vcsProjectSchema>;

/**
 * Gives a project a VCS server with a credential of its own.
 *
 * @throws ApiRefusal 400 by a CDS that has no VCS projects; the error of `vcs` where the import
 *   asks it
 */
export async function importVcsProject(
  deps: {
    generation: Pick<Generation, 'credentials' | 'vcsServer' | 'triesImportedProjects'>;
    projects: ProjectStore;
    vcs: VcsCalls;
  },
  asked: NewVcsProject,
): Promise<VcsProject> {
  const { generation } = deps;
  if (!generation.credentials.includes(VCS_PROJECT))
    throw new ApiRefusal('wrongRequest', 'this CDS has no VCS projects: link the project');
  const { project: key, name = generation.vcsServer, ...more } = vcsProjectSchema.parse(asked);
  const { vcsProjects } = deps.projects.ensureProject(key);
  const before = vcsProjects.get(name);
  const imported: VcsProject = { name, ...more };
  vcsProjects.set(name, imported);
  if (generation.triesImportedProjects)
    try {
      await deps.vcs.ofProject(key, name)('GET', '/repos');
    } catch (error) {
      if (before) vcsProjects.set(name, before);
      else vcsProjects.delete(name);
      throw error;
    }
  return imported;
}
