import express, { type RequestHandler } from 'express';
import { CdsError } from '@cds/wire';

/**
 * Reads the whole body into `req.body`, a Buffer, unpacked. More than `limitBytes` is refused at
 * once; Express's parser would first read all the rest.
 */
export function readBody(limitBytes: number): RequestHandler {
  const parse: RequestHandler = express.raw({ type: () => true, limit: limitBytes });
  const tooLarge = () =>
    new CdsError('tooLarge', { from: `the body is larger than ${limitBytes} bytes` });

  return (req, res, next) => {
    if (Number(req.headers['content-length'] ?? 0) > limitBytes) return next(tooLarge());
    let settled = false;
    const settle = (error?: unknown): void => {
      if (settled) return;
      settled = true;
      if (!Buffer.isBuffer(req.body)) req.body = Buffer.alloc(0);
      next(error);
    };
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) settle(tooLarge());
    });
    parse(req, res, settle);
  };
}
