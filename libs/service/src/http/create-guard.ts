import type { RequestHandler } from 'express';
import { CdsError } from '@cds/wire';
import { countByMinute } from '../logs/count-by-minute';
import type { Logger } from '../logs/create-logger';
import type { ApiSession } from '../registration/api-session';

/** Who may call the guarded routes, as the session towards the API knows them. */
export type Callers = Pick<ApiSession, 'isAllowed'> &
  Partial<Pick<ApiSession, 'hasCredentials' | 'settled' | 'refusal' | 'errorBody'>>;

/**
 * Admits the CDS API alone. Before it refuses a call with credentials, the session learns what it
 * can: a refused call of the API fails a run for good.
 */
export function createGuard(callers: Callers, logger: Logger): RequestHandler {
  const count = countByMinute();
  return async (req, _res, next) => {
    if (callers.isAllowed(req)) return next();
    if (callers.hasCredentials?.(req)) {
      await callers.settled?.(req);
      if (callers.isAllowed(req)) return next();
    }
    const { error, reason } = callers.refusal?.(req) ?? {
      error: new CdsError('notAuthenticated'),
      reason: 'the caller is not the CDS API',
    };
    const calls = count(reason);
    if (calls !== undefined) {
      const fields = { address: req.ip, method: req.method, path: req.path.slice(0, 200) };
      logger.warn({ ...fields, reason, leftOut: calls - 1 }, 'call refused');
    }
    next(error);
  };
}
