import type { ServerResponse } from 'node:http';

/** CDS's type, without the charset that Express would add. */
export const JSON_TYPE = 'application/json';

/** Answers with `body` as JSON. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.statusCode = status;
  res.setHeader('Content-Type', JSON_TYPE);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

/** Answers with bytes that many answers may share: who does not read holds no copy. */
export function sendBytes(res: ServerResponse, type: string, bytes: Buffer): void {
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
}
