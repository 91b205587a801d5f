import type { RequestHandler } from 'express';
import { decoded } from '@cds/network';
import { CdsError } from '@cds/wire';

/** Refuses a path with a malformed escape (`%zz`) before a route fails on it. */
export const checkPath: RequestHandler = (req, _res, next) => {
  if (req.path.includes('%') && decoded(req.path) === undefined) {
    return next(new CdsError('wrongRequest', { from: 'invalid URL escape in the path' }));
  }
  next();
};
