import {
  type ErrorRequestHandler,
  type RequestHandler,
  Router as createExpressRouter,
} from 'express';
import {
  type AnyDescription,
  readersOf,
  type RouteDescription,
  type RouteHandler,
  type RouteInput,
  withCommonOf,
} from '../openapi/route';

/** A route and what its callers have to know of it. */
export interface DeclaredRoute {
  method: 'get' | 'post' | 'put' | 'delete' | 'all';
  /** As Express takes it: `/task/:uuid`. */
  path: string;
  description: AnyDescription;
}

/**
 * @param description its part of the OpenAPI document; its schemas read the requests
 * @param handlerOf makes the handler, given the functions that read a request
 * @throws Error for a route without a description
 */
type DeclareRoute = <P = unknown, Q = unknown, B = unknown>(
  path: string,
  description: RouteDescription<P, Q, B>,
  handlerOf: (input: RouteInput<P, Q, B>) => RouteHandler,
) => Router;

/** An Express router that knows its routes: each has a description. */
export interface Router extends Record<DeclaredRoute['method'], DeclareRoute> {
  /** Adds middleware, and routers, which stand at the root: their routes state the whole path. */
  use(...parts: (RequestHandler | ErrorRequestHandler | Router)[]): Router;
  /** The routes in the order of Express, those of routers within it included. */
  routes(): DeclaredRoute[];
  /** Serves the routes. */
  handler: RequestHandler;
}

/**
 * A router that distinguishes `…/branches/` from `…/branches`, as CDS's does, and letter case.
 * Express does not pass these settings on from an app.
 */
export function createRouter(): Router {
  const handler = createExpressRouter({ strict: true, caseSensitive: true });
  const declared: (DeclaredRoute | Router)[] = [];

  function declare(method: DeclaredRoute['method']): DeclareRoute {
    return (path, description, handlerOf) => {
      if (typeof handlerOf !== 'function')
        throw new Error(`${method.toUpperCase()} ${path} has no description`);
      const routeHandler = handlerOf(readersOf(description));
      declared.push({ method, path, description: withCommonOf(routeHandler, description) });
      handler[method](path, routeHandler);
      return router;
    };
  }

  const router: Router = {
    get: declare('get'),
    post: declare('post'),
    put: declare('put'),
    delete: declare('delete'),
    all: declare('all'),
    use(...parts) {
      for (const part of parts) {
        if (typeof part === 'object') {
          declared.push(part);
          handler.use(part.handler);
        } else if (typeof part === 'function' && !('route' in part)) {
          handler.use(part);
        } else {
          throw new TypeError(
            'use() takes middleware and routers of createRouter(), whose routes state their whole path',
          );
        }
      }
      return router;
    },
    routes: () => declared.flatMap((part) => ('routes' in part ? part.routes() : [part])),
    handler,
  };
  return router;
}
