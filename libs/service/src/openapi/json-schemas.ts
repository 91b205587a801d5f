import * as z from 'zod';

export type Json = Record<string, unknown>;

/**
 * Turns schemas into JSON Schema; those that have an id are gathered as components and referred to.
 */
export function createJsonSchemas() {
  const components: Record<string, Json> = {};
  // Most schemas are part of many routes.
  const made = { input: new Map<z.ZodType, Json>(), output: new Map<z.ZodType, Json>() };

  return {
    components,

    /** @param io what is read may be another thing than what the schema makes of it */
    of(schema: z.ZodType, io: 'input' | 'output'): Json {
      const known = made[io].get(schema);
      if (known) return known;
      const converted = z.toJSONSchema(schema, { io, override: withoutSafeBounds });
      const { $defs = {}, ...json } = placed(converted);
      for (const [id, component] of Object.entries($defs as Record<string, Json>)) {
        if (components[id] && JSON.stringify(components[id]) !== JSON.stringify(component))
          throw new Error(
            `two schemas are called ${id}: what is read and what is answered need two names`,
          );
        components[id] = component;
      }
      delete json.$schema;
      made[io].set(schema, json);
      return json;
    },
  };
}

/** With references to where the components of an OpenAPI document are. */
function placed(schema: object): Json {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === '$ref' && typeof value === 'string'
        ? value.replace('#/$defs/', '#/components/schemas/')
        : value,
    ),
  ) as Json;
}

/** Every whole number would carry the bounds of JavaScript's. */
function withoutSafeBounds({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
