import { Router } from 'express';

/**
 * A router that distinguishes `…/branches/` from `…/branches`, as CDS's does, and upper from lower
 * case. Express does not pass these settings of an app on to its routers.
 */
export function createRouter(): Router {
  return Router({ strict: true, caseSensitive: true });
}
