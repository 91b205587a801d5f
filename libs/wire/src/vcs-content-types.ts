import { z } from 'zod';

/** A file or a directory of a commit. CDS names the fields as in Go. */
export const vcsContentSchema = z
  .object({
    Name: z.string().meta({ description: 'Without the directory that it is in.' }),
    IsDirectory: z.boolean(),
    IsFile: z.boolean(),
    Content: z.string().meta({ description: 'The text of the file; empty in a list.' }),
  })
  .meta({ id: 'VcsContent' });
export type VcsContent = z.infer<typeof vcsContentSchema>;
