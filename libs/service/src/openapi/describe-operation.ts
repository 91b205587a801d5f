import { STATUS_CODES } from 'node:http';
import { cdsErrorBodySchema, KNOWN_ERRORS, type KnownErrorName } from '@cds/wire';
import { JSON_TYPE } from '../http/send-json';
import type { createJsonSchemas, Json } from './json-schemas';
import type { AnyDescription, DescribedHeader, NamedValues } from './route';

/** Whether a route is for everybody or for the CDS API. */
export type RouteAccess = 'open' | 'guarded';

interface ErrorFacts {
  id: number;
  status: number;
  message: string;
}

type JsonSchemas = ReturnType<typeof createJsonSchemas>;

/** What any request can meet with: a path or a body that cannot be read, and mistakes of ours. */
const ERRORS: Record<RouteAccess, readonly KnownErrorName[]> = {
  open: ['wrongRequest', 'internal'],
  guarded: ['wrongRequest', 'notAuthenticated', 'tooLarge', 'internal'],
};
/** An unsupported `Content-Encoding`. */
const UNKNOWN_ENCODING: ErrorFacts = {
  id: KNOWN_ERRORS.wrongRequest.id,
  status: 415,
  message: 'wrong request',
};
const MAY_TELL_WHEN = new Set([429, 503]);

/** The Operation Object of a route. */
export function describeOperation(
  about: AnyDescription,
  { path, access }: { path: string; access: RouteAccess },
  schemas: JsonSchemas,
): Json {
  checkNames(path, about.params);
  return {
    summary: about.summary,
    ...(about.description && { description: about.description }),
    ...(access === 'guarded' && { security: [{ service: [] }] }),
    parameters: [
      ...namedValues(about.params, 'path', schemas),
      ...namedValues(about.query, 'query', schemas),
      ...Object.entries(about.headers ?? {}).map(([name, header]) => headerOf(name, header)),
    ],
    ...(about.body && {
      requestBody: {
        required: !about.bodyOptional,
        content: { [JSON_TYPE]: { schema: schemas.of(about.body, 'input') } },
      },
    }),
    ...(about.rawBody && { requestBody: { ...about.rawBody, content: { '*/*': {} } } }),
    responses: {
      ...success(about, schemas),
      ...refusals(about, access, schemas),
    },
  };
}

function success(about: AnyDescription, schemas: JsonSchemas): Json {
  const headers = {
    'X-Request-Id': { $ref: '#/components/headers/RequestId' },
    ...Object.fromEntries(
      Object.entries(about.answerHeaders ?? {}).map(([name, { description }]) => [
        name,
        { description, schema: { type: 'string' } },
      ]),
    ),
  };
  if (about.answer === 'never') return {};
  if (about.answer === 'nothing') return { 204: { description: 'Done.', headers } };
  const schema = schemas.of(about.answer, 'output');
  const content = { [about.answerType ?? JSON_TYPE]: { schema } };
  return {
    200: { description: 'OK', headers, content },
    ...(about.unready && { 503: { ...about.unready, headers, content } }),
  };
}

/** One response for each status, with the numbers of CDS's errors that it can carry. */
function refusals(about: AnyDescription, access: RouteAccess, schemas: JsonSchemas): Json {
  const errors: ErrorFacts[] = [
    ...[...ERRORS[access], ...(about.errors ?? [])].map((name) => KNOWN_ERRORS[name]),
    ...(access === 'guarded' ? [UNKNOWN_ENCODING] : []),
  ];
  const statuses = [...new Set(errors.map(({ status }) => status))].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const those = errors.filter((error) => error.status === status);
      const ids = [...new Set(those.map(({ id }) => id))];
      const schema = {
        ...schemas.of(cdsErrorBodySchema, 'output'),
        properties: { id: { enum: ids } },
      };
      return [
        status,
        {
          description: [...new Set([STATUS_CODES[status], ...those.map(sentence)])].join('; '),
          headers: {
            'X-Request-Id': { $ref: '#/components/headers/RequestId' },
            ...(MAY_TELL_WHEN.has(status) && {
              'Retry-After': { $ref: '#/components/headers/RetryAfter' },
            }),
          },
          content: { [JSON_TYPE]: { schema } },
        },
      ];
    }),
  );
}

function sentence({ id, message }: ErrorFacts): string {
  return `error ${id}: ${message}`;
}

function namedValues(
  values: NamedValues<unknown> | undefined,
  place: 'path' | 'query',
  schemas: JsonSchemas,
): Json[] {
  if (!values) return [];
  const { properties = {}, required = [] } = schemas.of(values, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    ...(description !== undefined && { description }),
    required: required.includes(name),
    schema,
  }));
}

function headerOf(name: string, { description, required = false }: DescribedHeader): Json {
  return { name, in: 'header', description, required, schema: { type: 'string' } };
}

/** @throws Error when the path has other values than are described */
function checkNames(path: string, params: NamedValues<unknown> | undefined): void {
  const inPath = [...path.matchAll(/[:*](\w+)/g)].map(([, name]) => String(name)).toSorted();
  const named = Object.keys(params?.shape ?? {}).toSorted();
  if (inPath.join() !== named.join())
    throw new Error(
      `${path} has the values ${inPath.join(', ')}, and its description ${named.join(', ')}`,
    );
}
