import type { RequestHandler } from 'express';
import { CdsError } from '@cds/wire';
import type { Logger } from '../logs/create-logger';
import type { Registration } from '../registration/create-registration';

const LOG_EVERY_MS = 60_000;

/** Who may call the guarded routes. */
export type Callers = Pick<Registration, 'isAllowed'> &
  Partial<Pick<Registration, 'hashesSettled'>>;

/**
 * Admits the CDS API alone. A new process waits for the hashes in Redis before it refuses a call: a
 * refused call of the API fails a run for good.
 */
export function createGuard(callers: Callers, logger: Logger): RequestHandler {
  const warn = createRefusalWarning(logger);
  return async (req, _res, next) => {
    const header = req.headers['x_auth_header'];
    if (typeof header === 'string') {
      if (callers.isAllowed(header)) return next();
      await callers.hashesSettled?.();
      if (callers.isAllowed(header)) return next();
    }
    const reason = header === undefined ? NO_HEADER : WRONG_HEADER;
    warn(reason, { address: req.ip, method: req.method, path: req.path.slice(0, 200) });
    next(new CdsError('notAuthenticated'));
  };
}

const NO_HEADER = 'there is no X_AUTH_HEADER: the caller is not the CDS API';
const WRONG_HEADER =
  'its X_AUTH_HEADER holds no hash that the CDS API ever gave to this service under this name';

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
