import type { RequestHandler } from 'express';
import type { Logger } from '../logs/create-logger';
import { requestIdOf } from './common-headers';

/**
 * A line for each request when its answer is out. Without the query, which may hold what is
 * private.
 */
export function createRequestLog(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const began = performance.now();
    const { method, path } = req;
    res.once('close', () => {
      logger.debug(
        {
          requestId: requestIdOf(res),
          method,
          path,
          status: res.statusCode,
          answered: res.writableFinished,
          durationMs: Math.round(performance.now() - began),
        },
        'Request',
      );
    });
    next();
  };
}
