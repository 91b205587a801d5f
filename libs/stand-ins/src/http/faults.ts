import type { NextFunction, Request, Response } from 'express';
import * as z from 'zod';

/** Something that goes wrong on purpose. */
export const faultSchema = z.discriminatedUnion('kind', [
  /** The request is not served; this is the answer. */
  z.strictObject({
    kind: z.literal('answer'),
    status: z.int().min(100).max(599),
    contentType: z.string().default('text/html'),
    body: z.string().default('<html><body><h1>Something went wrong</h1></body></html>'),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  /** The connection is cut and nothing was done. */
  z.strictObject({ kind: z.literal('drop') }),
  /** The request is served, but the connection is cut instead of answering. */
  z.strictObject({ kind: z.literal('lose-answer') }),
  /** The request is served after a while. */
  z.strictObject({ kind: z.literal('slow'), ms: z.int().min(1).max(600_000) }),
]);
export type Fault = z.input<typeof faultSchema>;

/** A fault for the next `count` requests that match. */
export const faultOrderSchema = z.strictObject({
  fault: faultSchema,
  count: z.int().min(1).default(1),
  method: z.string().optional(),
  /** A regular expression on the request's path and query. */
  path: z.string().max(500).optional(),
});
export type FaultOrder = z.input<typeof faultOrderSchema>;

interface PendingFault {
  fault: z.output<typeof faultSchema>;
  left: number;
  method: string | undefined;
  path: RegExp | undefined;
}

export interface FaultSwitch {
  /** Orders a fault. The first order that matches a request is the one it meets. */
  order(order: FaultOrder): void;
  /** Takes back what is still ordered. */
  clear(): void;
  /** How many faults are still to come. */
  pending(): number;
  middleware(request: Request, response: Response, next: NextFunction): void;
}

/** A switch whose middleware stands before the routes of a stand-in. */
export function createFaultSwitch(): FaultSwitch {
  let orders: PendingFault[] = [];

  function take(request: Request): PendingFault['fault'] | undefined {
    const match = orders.find(
      ({ method, path }) =>
        (method === undefined || method.toUpperCase() === request.method) &&
        (path === undefined || path.test(request.originalUrl)),
    );
    if (!match) return undefined;
    match.left -= 1;
    if (match.left === 0) orders = orders.filter((order) => order !== match);
    return match.fault;
  }

  return {
    order(input) {
      const { fault, count, method, path } = faultOrderSchema.parse(input);
      orders.push({
        fault,
        left: count,
        method,
        path: path === undefined ? undefined : new RegExp(path),
      });
    },
    clear() {
      orders = [];
    },
    pending: () => orders.reduce((sum, { left }) => sum + left, 0),
    middleware(request, response, next) {
      const fault = take(request);
      if (fault) meet(fault, request, response, next);
      else next();
    },
  };
}

function meet(
  fault: PendingFault['fault'],
  request: Request,
  response: Response,
  next: NextFunction,
): void {
  if (fault.kind === 'drop') {
    request.socket.destroy();
  } else if (fault.kind === 'slow') {
    setTimeout(next, fault.ms).unref();
  } else if (fault.kind === 'lose-answer') {
    response.end = (): Response => {
      request.socket.destroy();
      return response;
    };
    next();
  } else {
    response.status(fault.status).set(fault.headers);
    // Not Express's set(), which would add a charset.
    response.setHeader('Content-Type', fault.contentType);
    response.end(fault.body);
  }
}
