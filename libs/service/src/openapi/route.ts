import { CdsError, KNOWN_ERRORS, type KnownErrorName } from '@cds/wire';
import type { Request, RequestHandler } from 'express';
import * as z from 'zod';
import { readJson } from '../http/read-json';

/** A header of a request or an answer. */
export interface DescribedHeader {
  description: string;
  required?: boolean;
}

/** Values that have names: of the path, of the query. */
export type NamedValues<T> = z.ZodType<T> & { shape: Readonly<Record<string, z.ZodType>> };

/** What callers have to know of a route: its part of the OpenAPI document. */
export interface RouteDescription<P, Q, B> {
  /** One line. */
  summary: string;
  /** What the summary has no room for; Markdown. */
  description?: string;
  /** The values in the path, by their names there. */
  params?: NamedValues<P> | undefined;
  query?: NamedValues<Q>;
  /** A JSON body. */
  body?: z.ZodType<B> | undefined;
  /** A body of any type, in place of that. */
  rawBody?: { description: string };
  /** Whether the route also does without a body. */
  bodyOptional?: boolean;
  /** Of 200, or `nothing` for a 204. `never`: every call is refused. */
  answer: z.ZodType | 'nothing' | 'never';
  /** Of the answer; JSON when not given. */
  answerType?: string;
  /** The same body with a 503, and when that is. */
  unready?: { description: string };
  /** The refusals, besides those that every route has. */
  errors?: readonly KnownErrorName[];
  headers?: Readonly<Record<string, DescribedHeader>> | undefined;
  answerHeaders?: Readonly<Record<string, DescribedHeader>>;
  /** The methods of a route that Express has under all. */
  methods?: readonly string[];
}

export type AnyDescription = RouteDescription<unknown, unknown, unknown>;

/** What several routes have in common. */
export type CommonDescription = Pick<
  AnyDescription,
  'description' | 'params' | 'errors' | 'headers' | 'answerHeaders'
>;

/**
 * Reads what comes in, by the schemas of the description. Each throws a CdsError 400, id 74, that
 * says what is wrong.
 */
export interface RouteInput<P, Q, B> {
  params(request: Request): P;
  query(request: Request): Q;
  body(request: Request): B;
}

/** The handler of a route, with what it adds to the description of every route that it serves. */
export type RouteHandler = RequestHandler & { common?: CommonDescription };

/** Says of a handler what it adds to the description of every route that it serves. */
export function withCommon(common: CommonDescription, handler: RequestHandler): RouteHandler {
  return Object.assign(handler, { common });
}

/**
 * The functions that read a request of a route: by the schemas of its description and no others, so
 * that the document describes exactly what is accepted.
 */
export function readersOf<P, Q, B>({
  params,
  query,
  body,
}: RouteDescription<P, Q, B>): RouteInput<P, Q, B> {
  return {
    params: (request) => readValues(request.params, 'path', params),
    query: (request) => readValues(request.query, 'query', query),
    body: (request) => readJson(request, declared(body, 'body')),
  };
}

/** The description of a route, with what its handler adds. */
export function withCommonOf<P, Q, B>(
  { common }: RouteHandler,
  own: RouteDescription<P, Q, B>,
): AnyDescription {
  return {
    ...(own as AnyDescription),
    errors: [...(common?.errors ?? []), ...(own.errors ?? [])],
    headers: { ...common?.headers, ...own.headers },
    answerHeaders: { ...common?.answerHeaders, ...own.answerHeaders },
  };
}

/** @throws CdsError 400 naming the first value that is wrong */
function readValues<T>(values: object, where: string, schema: NamedValues<T> | undefined): T {
  const named = declared(schema, where);
  // Copied, since those of Express have no prototype.
  const parsed = named.safeParse({ ...values });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  // A schema may leave it at CDS's sentence.
  if (issue?.message === KNOWN_ERRORS.wrongRequest.message) throw new CdsError('wrongRequest');
  const isUnknown = issue?.code === 'unrecognized_keys';
  const what = isUnknown
    ? `holds ${issue.keys.map((key) => JSON.stringify(key.slice(0, 100))).join(', ')}: it takes ${Object.keys(named.shape).join(', ')}`
    : `${issue?.path.join('.')} ${issue?.message}`;
  throw new CdsError('wrongRequest', { from: `the ${where} ${what}` });
}

function declared<S>(schema: S | undefined, where: string): S {
  if (schema === undefined)
    throw new TypeError(`the route reads its ${where}, of which its description says nothing`);
  return schema;
}

/**
 * A value of the query, which is an array when it stands there several times: then the first one
 * counts.
 */
export function firstOf<T extends z.ZodType>(schema: T) {
  return z.preprocess(
    (value: unknown) => (Array.isArray(value) ? (value[0] as unknown) : value),
    schema,
  );
}
