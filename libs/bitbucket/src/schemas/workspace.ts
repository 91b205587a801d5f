import { z } from 'zod';
import type { BbWorkspace } from '../model';
import { text } from './text';

/** One value of `/user/workspaces`: the workspace is inside, without a name. */
export const workspaceAccessSchema = z
  .object({ workspace: z.object({ slug: z.string().min(1), uuid: text }) })
  .transform((access): BbWorkspace => access.workspace);
