import type { RequestHandler } from 'express';
import { CdsError } from '@cds/wire';

/** HTTP/1.1 demands a Host header. Node's own refusal would have an empty body. */
export const checkHost: RequestHandler = (req, _res, next) => {
  const isMissing = req.httpVersion === '1.1' && req.headers.host === undefined;
  next(
    isMissing ? new CdsError('wrongRequest', { from: 'the Host header is missing' }) : undefined,
  );
};
