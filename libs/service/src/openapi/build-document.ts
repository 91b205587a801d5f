import { buildInfo } from '../build-info';
import type { DeclaredRoute } from '../http/create-router';
import { createJsonSchemas, type Json } from './json-schemas';
import { describeOperation, type RouteAccess } from './describe-operation';

/** What the document says besides the routes. */
export interface ServiceDescription {
  title: string;
  description: string;
  /** The groups of routes; a route is in the first whose paths it matches. */
  tags: readonly { name: string; description: string; paths: RegExp }[];
}

/** An OpenAPI document. */
export interface OpenApiDocument extends Json {
  openapi: string;
  paths: Record<string, Record<string, Json>>;
}

/**
 * The OpenAPI document of a service, from the routes that it declares.
 *
 * @throws Error for a route that is declared twice, or whose description does not fit its path
 */
export function buildDocument(
  { title, description, tags }: ServiceDescription,
  routes: Record<RouteAccess, readonly DeclaredRoute[]>,
): OpenApiDocument {
  const schemas = createJsonSchemas();
  const paths: OpenApiDocument['paths'] = {};
  for (const access of ['open', 'guarded'] as const) {
    for (const { method: declared, path, description: about } of routes[access]) {
      const where = `${declared.toUpperCase()} ${path}`;
      const methods = declared === 'all' ? about.methods : [declared];
      if (!methods?.length) throw new Error(`${where}: name its methods in its description`);
      const template = path.replace(/[:*](\w+)/g, '{$1}');
      const tag = tags.find((one) => one.paths.test(path))?.name;
      for (const method of methods) {
        const place = (paths[template] ??= {});
        // Express takes the first.
        if (place[method]) throw new Error(`${where} stands there twice`);
        place[method] = {
          ...(tag && { tags: [tag] }),
          operationId: operationIdOf(method, path),
          ...describeOperation(about, { path, access }, schemas),
        };
      }
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title,
      description,
      version: buildInfo().version,
      license: { name: 'BSD-3-Clause', identifier: 'BSD-3-Clause' },
    },
    servers: [{ url: '/', description: 'Where this document was served.' }],
    tags: tags.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        service: {
          type: 'apiKey',
          in: 'header',
          name: 'X_AUTH_HEADER',
          description:
            'The hash that the CDS API gave this service when it registered, in base64. Only the API knows it: operators go through its `/admin/services/call`.',
        },
      },
      headers: {
        RequestId: {
          description:
            'Finds the request in the log: the `X-Request-Id` that was sent, else a new one.',
          schema: { type: 'string' },
        },
        RetryAfter: {
          description: 'Seconds to wait before the next try, where that is known.',
          schema: { type: 'integer', minimum: 1 },
        },
      },
      schemas: schemas.components,
    },
  };
}

/** `getTaskByUuidStart` for `GET /task/:uuid/start`. */
function operationIdOf(method: string, path: string): string {
  const words = path
    // The slash at the end makes it another route.
    .replace(/\/$/, '/one')
    .replace(/[:*](\w)/g, 'by-$1')
    .split(/\W+/);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
