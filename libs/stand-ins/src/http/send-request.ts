import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/**
 * A request to send exactly as given: no header is added but Host, Content-Length and Connection.
 */
export interface OutgoingRequest {
  method: string;
  /** Absolute. What follows the origin goes over the wire byte for byte. */
  url: string;
  headers?: Record<string, string>;
  body?: string;
  timeoutMs: number;
}

/** What came back. Redirects are not followed. */
export interface IncomingAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** No answer within the time given. */
export class RequestTimeoutError extends Error {
  override readonly name = 'RequestTimeoutError';
}

const ORIGIN = /^https?:\/\/[^/?#]+/i;

/**
 * Sends a request as clients do that build their URLs by hand (Go's, for one): WHATWG URLs and
 * fetch would rewrite the path and add headers. Rejects with {@link RequestTimeoutError} or the
 * connection's error.
 */
export function sendRequest(outgoing: OutgoingRequest): Promise<IncomingAnswer> {
  const origin = ORIGIN.exec(outgoing.url)?.[0];
  if (!origin) return Promise.reject(new Error(`Not an absolute http(s) URL: ${outgoing.url}`));
  const { protocol, hostname, port } = new URL(origin);
  const send = protocol === 'https:' ? httpsRequest : httpRequest;
  const body = outgoing.body === undefined ? undefined : Buffer.from(outgoing.body);

  return new Promise((resolve, reject) => {
    const request = send({
      protocol,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      method: outgoing.method,
      path: outgoing.url.slice(origin.length) || '/',
      headers: {
        ...outgoing.headers,
        ...(body ? { 'Content-Length': String(body.length) } : {}),
      },
      agent: false,
      maxHeaderSize: 1024 * 1024,
    });
    const deadline = setTimeout(
      () => request.destroy(new RequestTimeoutError(`no answer within ${outgoing.timeoutMs} ms`)),
      outgoing.timeoutMs,
    );
    const fail = (error: Error): void => {
      clearTimeout(deadline);
      reject(error);
    };
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(deadline);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    request.end(body);
  });
}
