import type { Request, RequestHandler, Response } from 'express';
import { JSON_TYPE, sendJson } from './send-json';

/**
 * A route whose function returns the answer: a value is 200 (or the status that the function set)
 * and JSON; undefined is 204 of type JSON, as in CDS, unless the function answered by itself.
 * Errors go to the error middleware.
 */
export function handle(fn: (req: Request, res: Response) => Promise<unknown>): RequestHandler {
  return async (req, res) => {
    const answer = await fn(req, res);
    if (res.headersSent || res.destroyed) return;
    if (answer !== undefined) return sendJson(res, res.statusCode, answer);
    res.statusCode = 204;
    res.setHeader('Content-Type', JSON_TYPE);
    res.end();
  };
}
