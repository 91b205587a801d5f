import type { RequestHandler } from 'express';
import { CdsError } from '@cds/wire';

/** Refuses a path with a malformed escape (`%zz`) before a route fails on it. */
export const checkPath: RequestHandler = (req, _res, next) => {
  if (req.path.includes('%') && !isDecodable(req.path)) {
    return next(new CdsError('wrongRequest', { from: 'invalid URL escape in the path' }));
  }
  next();
};

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
