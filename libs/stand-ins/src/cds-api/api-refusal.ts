import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

const KNOWN = {
  internal: { id: 1, status: 500, message: 'internal server error' },
  unavailable: { id: 1, status: 503, message: 'service unavailable' },
  notAuthenticated: { id: 10, status: 401, message: 'not authenticated' },
  projectNotFound: { id: 30, status: 404, message: 'project does not exist' },
  notFound: { id: 38, status: 404, message: 'resource not found' },
  grantRefused: { id: 44, status: 401, message: 'unlink and relink the project to its VCS server' },
  wrongRequest: { id: 74, status: 400, message: 'wrong request' },
  workflowNotFound: { id: 92, status: 404, message: 'Workflow not found' },
} as const;

/** A refusal of the API, with CDS's number, status and sentence. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  readonly id: number;

  constructor(kind: keyof typeof KNOWN, from?: string) {
    super(from === undefined ? KNOWN[kind].message : `${KNOWN[kind].message} (from: ${from})`);
    this.status = KNOWN[kind].status;
    this.id = KNOWN[kind].id;
  }
}

/** CDS's error body. */
export function errorBody(id: number, message: string): Record<string, unknown> {
  return { id, message, data: null, uuid: randomUUID() };
}

/** Answers what a route threw, always with CDS's body. */
export function answerError(
  error: unknown,
  _request: Request,
  response: Response,
  next: NextFunction,
): void {
  if (response.headersSent) {
    next(error);
    return;
  }
  const refusal = error instanceof ApiRefusal ? error : new ApiRefusal('internal', String(error));
  response.status(refusal.status).setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(errorBody(refusal.id, refusal.message)));
}

/** Answers JSON as the API does: without a charset. */
export function answerJson(response: Response, status: number, body: unknown): void {
  response.status(status).setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(body));
}
