import type { NextFunction, Request, Response } from 'express';

/** A refusal of the stand-in, in Bitbucket's envelope. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function requireLength(field: string, text: string | undefined, max: number): void {
  if (text !== undefined && text.length > max)
    throw new Refused(
      400,
      `${field}: Ensure this value has at most ${max} characters (it has ${text.length}).`,
    );
}

export function answerRefused(
  error: unknown,
  _req: Request,
  res: Response,
  next: NextFunction,
): void {
  if (!(error instanceof Refused)) return next(error);
  res.status(error.status).json({ type: 'error', error: { message: error.message } });
}

/** Pages are opaque, `next` holds every parameter, and only `values` and `next` are sure. */
export function page(req: Request, res: Response, values: unknown[], longest: number): void {
  const url = new URL(req.originalUrl, `http://${req.headers.host}`);
  const length = Number(url.searchParams.get('pagelen') ?? 10);
  if (!(length >= 10 && length <= longest)) throw new Refused(400, 'Invalid pagelen');
  const cursor = url.searchParams.get('page');
  const start = cursor === null ? 0 : Number(Buffer.from(cursor, 'base64url').toString());
  if (Number.isNaN(start)) throw new Refused(400, 'Invalid page');
  const end = start + length;
  if (end < values.length)
    url.searchParams.set('page', Buffer.from(String(end)).toString('base64url'));
  res.json({
    values: values.slice(start, end),
    ...(end < values.length ? { next: url.toString() } : {}),
  });
}
