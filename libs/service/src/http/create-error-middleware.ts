import type { ErrorRequestHandler } from 'express';
import type { ServerResponse } from 'node:http';
import { CdsError, isCdsError } from '@cds/wire';
import type { Logger } from '../logs/create-logger';
import { requestIdOf } from './common-headers';
import { sendJson } from './send-json';

/** Errors of other services, which this service passes on. */
const UPSTREAM = new Set([429, 502, 503, 504]);

/** Answers with an error: its status and headers are set. */
type SendError = (res: ServerResponse, error: CdsError) => void;

/** As JSON, which every service of CDS reads. */
const sendBody: SendError = (res, error) => sendJson(res, error.status, error.toBody());

/** Turns every error into CDS's error body, and logs it with the uuid that the caller sees. */
export function createErrorMiddleware(
  logger: Logger,
  send: SendError = sendBody,
): ErrorRequestHandler {
  return (thrown: unknown, { method, path }, res, next) => {
    const isAnswered = answerError(logger, thrown, { method, path }, res, send);
    // Express would close the connection; where it is closed, nothing is left to do.
    if (!isAnswered && !res.destroyed) next(thrown);
  };
}

/** What {@link createErrorMiddleware} does. @returns false when an answer is on its way already */
export function answerError(
  logger: Logger,
  thrown: unknown,
  request: { method: string | undefined; path: string },
  res: ServerResponse,
  send: SendError = sendBody,
): boolean {
  const error = toCdsError(thrown);
  logger[levelOf(error.status)](
    {
      err: thrown,
      uuid: error.uuid,
      status: error.status,
      requestId: requestIdOf(res),
      ...request,
    },
    'Request refused or failed',
  );
  if (res.headersSent) return false;
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  res.statusCode = error.status;
  send(res, error);
  return true;
}

function levelOf(status: number): 'error' | 'warn' | 'debug' {
  if (UPSTREAM.has(status)) return 'warn';
  return status === 500 ? 'error' : 'debug';
}

function toCdsError(error: unknown): CdsError {
  if (isCdsError(error)) return error;
  const status = clientStatusOf(error);
  if (status === undefined) return new CdsError('internal', { cause: error });
  if (status === 413) return new CdsError('tooLarge', { from: tooLarge(error), cause: error });
  const from = error instanceof Error ? error.message : undefined;
  return new CdsError('wrongRequest', { status, from, cause: error });
}

/** The body parser's own sentence does not name its limit. */
function tooLarge(error: unknown): string {
  const { limit } = error as { limit?: unknown };
  return typeof limit === 'number'
    ? `the body is larger than ${limit} bytes`
    : 'the body is too large';
}

/** The status of the errors that Express and its body parser make of what a client did wrong. */
function clientStatusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status, expose } = error as Error & { status?: unknown; expose?: unknown };
  if (error instanceof URIError) return 400;
  return expose === true && typeof status === 'number' && status >= 400 && status < 500
    ? status
    : undefined;
}
