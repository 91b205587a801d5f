interface Layer {
  handle: { stack?: Layer[] };
  route?: { path: string; methods: Record<string, boolean> };
}

/**
 * All routes that an Express app has, of routers at its root: `GET /task/:uuid`; `ALL …` for every
 * method.
 */
export function routesOfApp(app: { router: { stack: unknown[] } }): string[] {
  const walk = (layers: Layer[]): string[] =>
    layers.flatMap(({ route, handle }) =>
      route
        ? Object.keys(route.methods).map(
            (method) => `${method === '_all' ? 'ALL' : method.toUpperCase()} ${route.path}`,
          )
        : walk(handle.stack ?? []),
    );
  return walk(app.router.stack as Layer[]);
}
