import { CdsError, KNOWN_ERRORS, type KnownErrorName } from '@cds/wire';
import type { Request, RequestHandler } from 'express';
import type { z } from 'zod';
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

const described = new WeakMap<RequestHandler, AnyDescription>();
const common = new WeakMap<RequestHandler, CommonDescription>();

/**
 * A route and its description in one. Requests are read by the schemas of the description and no
 * others, so that the document describes exactly what is accepted.
 *
 * @param handlerOf makes the handler, given the functions that read the request
 */
export function route<P = unknown, Q = unknown, B = unknown>(
  description: RouteDescription<P, Q, B>,
  handlerOf: (input: RouteInput<P, Q, B>) => RequestHandler,
): RequestHandler {
  const { params, query, body } = description;
  const work = handlerOf({
    params: (request) => readValues(request.params, 'path', params),
    query: (request) => readValues(request.query, 'query', query),
    body: (request) => readJson(request, declared(body, 'body')),
  });
  // Of its own, since one handler may serve several routes.
  const handler: RequestHandler = (request, response, next) => work(request, response, next);
  described.set(handler, together(common.get(work), description));
  return handler;
}

/** Says of a handler what it adds to the description of every route that it serves. */
export function withCommon(description: CommonDescription, handler: RequestHandler) {
  common.set(handler, description);
  return handler;
}

/** The description of a handler that {@link route} made. */
export function descriptionOf(handler: RequestHandler): AnyDescription | undefined {
  return described.get(handler);
}

function together(
  shared: CommonDescription | undefined,
  own: RouteDescription<never, never, never> | AnyDescription,
): AnyDescription {
  return {
    ...(own as AnyDescription),
    errors: [...(shared?.errors ?? []), ...(own.errors ?? [])],
    headers: { ...shared?.headers, ...own.headers },
    answerHeaders: { ...shared?.answerHeaders, ...own.answerHeaders },
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
