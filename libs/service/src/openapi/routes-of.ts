import type { RequestHandler, Router } from 'express';

/** A route as Express has it. */
export interface FoundRoute {
  /** As it was given to Express: `/task/:uuid`. */
  path: string;
  /** In small letters; `_all` for a route of every method. */
  methods: string[];
  handlers: RequestHandler[];
}

/** What Express keeps of a route or a middleware, as far as it is needed here. */
interface Layer {
  /** Whether it stands at the root. */
  slash: boolean;
  handle: RequestHandler & { stack?: Layer[] };
  route?: { path: unknown; methods: Record<string, boolean>; stack: Layer[] };
}

/**
 * The routes of a router and of the routers within it.
 *
 * @throws Error for nested paths: Express forgets the path of a mounted router
 */
export function routesOf(router: Router): FoundRoute[] {
  return (router.stack as unknown as Layer[]).flatMap((layer) => {
    if (layer.route) {
      const { path, methods, stack } = layer.route;
      if (typeof path !== 'string')
        throw new Error(`the path ${String(path)} is no text: give each route one path`);
      return [{ path, methods: Object.keys(methods), handlers: stack.map(({ handle }) => handle) }];
    }
    if (!layer.handle.stack) return [];
    if (!layer.slash)
      throw new Error('a router stands under a path: write the whole path into its routes');
    return routesOf(layer.handle as unknown as Router);
  });
}
