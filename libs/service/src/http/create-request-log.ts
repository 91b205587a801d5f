import type { RequestHandler } from 'express';
import type { Logger } from '../logs/create-logger';
import { requestIdOf } from './common-headers';

/** Logs each request after its answer; without the query, which may hold secrets. */
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
