import type { RequestHandler } from 'express';
import { CdsError } from '@cds/wire';
import type { Logger } from '../logs/create-logger';
import type { ApiSession } from '../registration/api-session';

const LOG_EVERY_MS = 60_000;

/** Who may call the guarded routes, as the session towards the API knows them. */
export type Callers = Pick<ApiSession, 'isAllowed'> &
  Partial<Pick<ApiSession, 'hasCredentials' | 'settled' | 'refusal' | 'errorBody'>>;

/**
 * Admits the CDS API alone. Before it refuses a call with credentials, the session learns what it
 * can: a refused call of the API fails a run for good.
 */
export function createGuard(callers: Callers, logger: Logger): RequestHandler {
  const warn = createRefusalWarning(logger);
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
    warn(reason, { address: req.ip, method: req.method, path: req.path.slice(0, 200) });
    next(error);
  };
}

/** One line a minute for each reason, with the number of those left out since the last one. */
function createRefusalWarning(logger: Logger) {
  const last = new Map<string, { at: number; leftOut: number }>();
  return (reason: string, fields: object): void => {
    const before = last.get(reason);
    const now = performance.now();
    if (before && now - before.at < LOG_EVERY_MS) {
      before.leftOut += 1;
      return;
    }
    last.set(reason, { at: now, leftOut: 0 });
    logger.warn({ ...fields, reason, leftOut: before?.leftOut ?? 0 }, 'call refused');
  };
}
