import { randomUUID } from 'node:crypto';
import type { ErrorRequestHandler, Response } from 'express';

const KNOWN = {
  internal: { id: 1, status: 500, message: 'internal server error' },
  notAuthenticated: { id: 10, status: 401, message: 'not authenticated' },
  forbidden: { id: 11, status: 403, message: 'forbidden' },
  projectNotFound: { id: 30, status: 404, message: 'project does not exist' },
  notFound: { id: 38, status: 404, message: 'resource not found' },
  grantRefused: { id: 44, status: 401, message: 'unlink and relink the project to its VCS server' },
  unavailable: {
    id: 60,
    status: 503,
    message: 'service currently unavailable or down for maintenance',
  },
  conflict: { id: 192, status: 409, message: 'Data conflict' },
  wrongRequest: { id: 74, status: 400, message: 'wrong request' },
  workflowNotFound: { id: 92, status: 404, message: 'Workflow not found' },
} as const;

/** A refusal of the API, with CDS's number, status and sentence. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  readonly id: number;
  /** CDS's sentence alone. */
  readonly sentence: string;

  constructor(
    kind: keyof typeof KNOWN,
    /** Why: shown to users of `cdsctl`. */
    readonly from?: string,
  ) {
    const { id, status, message } = KNOWN[kind];
    super(from === undefined ? message : `${message} (from: ${from})`);
    this.sentence = message;
    this.status = status;
    this.id = id;
  }
}

/** Writes a refusal as one generation of CDS does it. */
export type ErrorBody = (refusal: ApiRefusal, requestId: string) => Record<string, unknown>;

/** 0.40 to 0.43: a number of its own for each error. */
export const errorBodyWithUuid: ErrorBody = ({ id, message }) => ({
  ...{ id, message, data: null, uuid: randomUUID() },
});

/** 0.44 and later: the id of the request, and why. */
export const errorBodyWithRequestId: ErrorBody = ({ id, sentence, from }, requestId) => ({
  ...{ id, message: sentence, request_id: requestId },
  ...(from === undefined ? {} : { from }),
});

/** Answers what a route threw, always with CDS's body. */
export function answerErrorAs(errorBody: ErrorBody): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const refusal = error instanceof ApiRefusal ? error : new ApiRefusal('internal', String(error));
    const requestId = request.get('request-id') ?? randomUUID();
    answerJson(response, refusal.status, errorBody(refusal, requestId));
  };
}

/** Answers JSON as the API does: without a charset. */
export function answerJson(response: Response, status: number, body: unknown): void {
  response.status(status).setHeader('Content-Type', 'application/json');
  response.end(status === 204 ? undefined : JSON.stringify(body));
}
