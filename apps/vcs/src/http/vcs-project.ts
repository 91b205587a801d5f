import type { Request } from 'express';

const TYPE = 'x-cds-vcs-type';

/**
 * Whether the API calls for a VCS project, whose credential comes with the call (CDS 0.51 and
 * later), and not for a project that is linked by OAuth.
 */
export function isOfVcsProject(req: Pick<Request, 'headers'>): boolean {
  const type = req.headers[TYPE];
  return typeof type === 'string' && type !== '';
}
